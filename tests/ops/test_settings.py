"""Every wrong value of every setting is refused with one sentence: its name, what is wrong, and an example."""

import importlib.util
import re
from pathlib import Path
from typing import Final

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from chatapp import env, settings
from tests.support.machine import Machine

# By name; a setting that is not here is played with the values for its kind.
WRONG: Final[dict[str, list[str]]] = {
    "ALLOWED_HOSTS": ["https://chat.example", "chat.example:8000", "localhost,a b", "1.2.3.4:80", "*.chat.example"],
    "CHAT_MODEL": ["openai: gpt-5", "gpt\u20115"],
    "CHAT_MODEL_KEY": ["sk-\u2026", "sk 1", "sk-\x7f"],
    "CHAT_MODEL_URL": ["ftp://there", "there", "http://", "http://[::1", "http://there:port/v1", "http://there:70000"],
    "CSRF_TRUSTED_ORIGINS": ["chat.example", "https://chat.example/", "https://", "https://[::1", "https://a:port"],
    "DATABASE_URL": [
        "mysql://there/name",
        "postgresql://one:5432,two:5433/name",
        "postgresql://user:p@one,two/name",
        "postgresql://there:port/name",
        "postgresql://there:70000/name",
        "postgresql://[::1/name",
        "postgresql://there",
        "there",
        "postgresql://",
    ],
    "HOST": ["http://localhost", "localhost:8000", "a b"],
    "LOCAL_MODEL": ["small.gguf", "/nowhere/small.gguf", "/"],
    "REDIS_URL": ["there:6379", "redis://", "redis://there:port", "redis://[::1", "redis://there/first", "unix://"],
    "SECRET_KEY": ["secret", "a" * 31, "a" * 50, "abcd" * 20],
    "VERSION": ["two words", "zwölf"],
    "VAR_DIR": ["relative/folder", __file__],
}
KINDS: Final = {
    "flag": ["perhaps", "2", "0.0", "y"],
    "number": ["-1", "many", "1.5", "0x10", "9" * 30, "9" * 5000, "\u00b2"],
}


def cases() -> list[tuple[str, str]]:
    """Returns every setting with every wrong value for it. A setting without one fails here."""
    source = Path(settings.__file__).read_text()
    readers = {name: reader for reader, name in re.findall(r'env\.(\w+)\(\s*"([A-Z_]+)"', source)}
    assert readers.keys() == set(env.names())
    return [(name, value) for name in env.names() for value in WRONG.get(name) or KINDS[readers[name]]]


def load() -> None:
    """Executes the settings once more, in a module of their own."""
    spec = importlib.util.spec_from_file_location("settings_once_more", settings.__file__)
    assert spec
    assert spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize(("name", "value"), cases(), ids=lambda text: text[:24].encode("ascii", "replace").decode())
def test_a_wrong_value_is_refused_with_the_name_and_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured) as refused:
        load()

    sentence = str(refused.value)
    assert re.fullmatch(rf"{name}\W.+\. Example: {name}=\S.*", sentence), sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://user:hunter2@one:1,two:2/name"),
        ("REDIS_URL", "redis://:hunter2@there:port"),
        ("CHAT_MODEL_URL", "https://user:hunter2@there:port"),
        ("CHAT_MODEL_KEY", "hunter2 " * 2),
        ("SECRET_KEY", "hunter2"),
    ],
)
def test_a_refusal_repeats_no_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured) as refused:
        load()

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", env.names())
def test_the_example_of_a_refusal_is_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    wrong = next(value for each, value in cases() if each == name)
    monkeypatch.setenv(name, wrong)
    with pytest.raises(ImproperlyConfigured) as refused:
        load()
    example = str(refused.value).partition(f"Example: {name}=")[2]

    if name not in {"LOCAL_MODEL", "CHAT_MODEL_KEY"} and not example.startswith("$("):  # they are the reader's own
        monkeypatch.setenv(name, example)
        load()


@pytest.mark.parametrize(
    ("wrong", "ours"),
    [("DATABSE_URL", "DATABASE_URL"), ("DATABASE_URI", "DATABASE_URL"), ("ALLOWED_HOST", "ALLOWED_HOSTS"),
     ("debug", "DEBUG"), ("SECRETKEY", "SECRET_KEY"), ("WORKER_RUN", "WORKER_RUNS"), ("CHAT_MODEL_UR", "CHAT_MODEL_URL")],
)  # fmt: skip
def test_a_misspelt_name_is_warned_of(monkeypatch: pytest.MonkeyPatch, wrong: str, ours: str) -> None:
    monkeypatch.setenv(wrong, "x")
    sentence = f"{wrong} is set, but no setting has that name. Is it {ours}?"

    assert sentence in env.misspelt()
    assert sentence in [found.msg for found in run_checks()]


def test_other_programs_names_are_not_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HOSTNAME",
        "HTTPS_PROXY",
        "PATH",
        "REDIS_PORT",
        "REDIS_HOST",
        "POSTGRES_URL",
        "HOSTTYPE",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, "x")

    assert env.misspelt() == []


def test_up_says_what_is_wrong_before_it_starts(tmp_path: Path) -> None:
    made = Machine(
        tmp_path,
        DATABSE_URL="x",
        VAR_DIR=str(tmp_path),
        REDIS_URL="redis://127.0.0.1:1",
        DATABASE_URL="postgresql://127.0.0.1:1/x",
    )

    said = made.manage("up").stdout

    assert "WARNING DATABSE_URL is set, but no setting has that name. Is it DATABASE_URL?" in said
