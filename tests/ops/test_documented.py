"""Every variable that the settings read is in the table of docs/reference/settings.md."""

import re

import pytest

from chatapp import env, settings

READ = env.names()
DOCUMENTED = (settings.BASE_DIR / "docs/reference/settings.md").read_text()


def test_the_table_has_no_setting_that_is_not_read() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", DOCUMENTED, re.MULTILINE)) == set(READ)


def test_the_settings_are_found() -> None:
    assert {"HOST", "PORT", "DATABASE_URL", "CHAT_MODEL"} <= set(READ)


@pytest.mark.parametrize("variable", READ)
def test_the_variable_is_in_the_table(variable: str) -> None:
    assert f"| `{variable}` |" in DOCUMENTED
