"""`manage.py up` with real processes, on a port and in a folder of their own."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machine import Machine, machine


@pytest.fixture(scope="module")
def up() -> Iterator[Machine]:
    with machine() as running:
        yield running


class TestWhileItRuns:
    def test_it_is_ready_and_prints_where_and_how_to_sign_in(self, up: Machine) -> None:
        assert up.is_ready()
        assert f"Ready: {up.url}/" in up.log()
        assert up.sign_in_link().startswith(f"{up.url}/sign-in/link/")

    def test_a_second_terminal_finds_the_services(self, up: Machine) -> None:
        answer = up.manage(
            "shell", "-c", "from django.contrib.auth.models import User; print(User.objects.get().username)"
        )
        assert answer.stdout.splitlines()[-1:] == ["demo"], answer.stderr

    def test_a_second_start_is_refused_with_a_sentence(self, up: Machine) -> None:
        answer = up.manage("up")
        assert answer.returncode != 0
        assert "It runs already, as process" in answer.stderr

    def test_the_data_is_not_deleted_under_it(self, up: Machine) -> None:
        assert "It runs already, as process" in up.manage("delete_data").stderr
        assert up.is_ready()

    def test_each_line_has_a_program_and_a_level(self, up: Machine) -> None:
        lines = up.log().splitlines()
        assert {line.split()[1] for line in lines} >= {"up", "web", "worker", "postgres"}
        assert "postgres | INFO database system is ready" in up.log()

    def test_the_web_server_comes_back_after_kill_9(self, up: Machine) -> None:
        up.kill("web")
        up.until(up.is_ready)

    @pytest.mark.parametrize("program", ["worker", "valkey", "postgres"])
    def test_a_program_comes_back_after_kill_9(self, up: Machine, program: str) -> None:
        up.kill(program)
        up.until(up.is_ready)


class TestItsEnd:
    def test_ctrl_c_leaves_no_process(self, up: Machine) -> None:
        assert len(up.processes()) >= 5
        assert up.stop() == 0, up.log()
        assert up.processes() == []

    def test_it_starts_again_and_kill_9_leaves_no_process(self, up: Machine) -> None:
        up.start()
        up.wait_until_ready()
        up.send(signal.SIGKILL)
        up.wait_until_gone()

    def test_the_data_can_be_deleted_afterwards(self, up: Machine) -> None:
        assert up.manage("delete_data").returncode == 0
        assert not up.folder.exists()


class TestRefusals:
    def test_a_taken_port_is_named_before_anything_starts(self, tmp_path: Path) -> None:
        made = Machine(tmp_path)
        with socket.create_server(("127.0.0.1", made.port)):
            answer = made.manage("up")
        assert answer.returncode != 0
        assert f"Port {made.port} of 127.0.0.1 is taken" in answer.stderr
        assert not (tmp_path / "postgres").exists()

    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("PORT", "http", "PORT='http' must be a whole number from 1 to 65535."),
            ("DEBUG", "perhaps", "DEBUG='perhaps' is neither on nor off"),
            ("DATABASE_URL", "mysql://there", "DATABASE_URL must begin with postgres://"),
            ("REDIS_URL", "there:6379", "REDIS_URL must begin with redis://"),
            ("VAR_DIR", "relative/folder", "VAR_DIR='relative/folder' must be the absolute path"),
            ("CSRF_TRUSTED_ORIGINS", "chat.example", "CSRF_TRUSTED_ORIGINS: 'chat.example' is no origin"),
            ("CSRF_TRUSTED_ORIGINS", "https://chat.example/", "CSRF_TRUSTED_ORIGINS: 'https://chat.example/' is no"),
            ("CHAT_MODEL_URL", "ftp://there", "CHAT_MODEL_URL must begin with http://"),
        ],
    )
    def test_a_bad_value_is_refused_with_a_sentence(self, tmp_path: Path, name: str, value: str, sentence: str) -> None:
        answer = Machine(tmp_path, **{name: value}).manage("up")
        assert answer.returncode != 0
        assert answer.stderr.startswith(f"Settings: {sentence}"), answer.stderr
