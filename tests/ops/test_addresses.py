"""Addresses and folders of the services, and the forms that each library wants."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection

from chatapp.launcher.embedded import broker_url, data_dirs, database_url, redis_url, secret_key
from chatapp.launcher.embedded.launch import running
from chatapp.launcher.embedded.postgres import Postgres
from chatapp.launcher.embedded.valkey import Valkey
from tests.support.leftovers import open_folder


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    made = secret_key(tmp_path / "var")
    assert len(made) >= 50
    assert secret_key(tmp_path / "var") == made
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o077 == 0


def test_two_clones_have_services_of_their_own(tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "var", tmp_path / "other" / "var"
    assert database_url(one) != database_url(other)
    assert redis_url(one) != redis_url(other)


@pytest.fixture
def deep() -> Iterator[Path]:
    """The var/ of a clone whose path is too long for a socket below it."""
    with open_folder() as folder:
        var_dir = folder / ("deep" * 25) / "var"
        var_dir.mkdir(parents=True)
        yield var_dir
        data_dirs.delete(var_dir)


def test_the_sockets_of_a_deep_clone_have_a_short_path(deep: Path) -> None:
    folder = data_dirs.make_socket_folder(deep, "valkey", "valkey.sock")
    assert len(bytes(folder / "valkey.sock")) <= data_dirs.SOCKET_PATH_LIMIT
    assert folder == data_dirs.socket_folder(deep, "valkey", "valkey.sock")


def test_a_short_folder_that_others_can_enter_is_refused(deep: Path) -> None:
    data_dirs.socket_folder(deep, "valkey", "valkey.sock").mkdir(mode=0o755)
    with pytest.raises(ImproperlyConfigured, match="is not a private folder"):
        data_dirs.make_socket_folder(deep, "valkey", "valkey.sock")


@pytest.mark.skipif(not data_dirs.is_root(), reason="only root runs the services as somebody else")
def test_a_closed_clone_keeps_its_data_where_the_services_can_enter(tmp_path: Path) -> None:
    var_dir = tmp_path / "var"
    with running(Postgres(var_dir, durable=False), tmp_path / "log") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert (var_dir / "postgres").readlink().is_relative_to(data_dirs.SYSTEM_DIR)
    data_dirs.delete(var_dir)
    assert not (var_dir / "postgres").exists()


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0"),
        ("unix://:secret@/run/v.sock?db=2", "redis+socket://:secret@/run/v.sock?virtual_host=2"),
        ("redis://:secret@host:6379/1", "redis://:secret@host:6379/1"),
        ("rediss://host:6379/1", "rediss://host:6379/1?ssl_cert_reqs=required"),
    ],
)
def test_celery_gets_the_same_address_in_its_own_form(redis: str, broker: str) -> None:
    assert broker_url(redis) == broker


def test_celery_reaches_valkey_on_its_socket(deep: Path) -> None:
    with running(Valkey(deep, durable=False), deep / "log") as url, Connection(broker_url(url)) as broker:
        queue = broker.SimpleQueue("trial")
        queue.put({"run": 1})
        assert queue.get(timeout=5).payload == {"run": 1}
        queue.close()
