"""The SDK is light: an agent can be imported and tested without the rest of the application."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
HEAVY: Final = {"django", "pydantic_ai", "celery", "channels", "psycopg", "redis"}
MAX_CPU_S: Final = 0.5  # CPU time, because a busy machine makes the wall clock tell about others

IMPORTS: Final = """
import json, sys, time
began = time.process_time()
import agents.sdk, agents.catalogue, agents.provider, agents.tools
print(json.dumps([time.process_time() - began, sorted(sys.modules)]))
"""


def test_the_sdk_is_imported_in_no_time_without_settings_and_without_django() -> None:
    command = [sys.executable, "-c", IMPORTS]
    imported = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=True)

    cpu_s, modules = json.loads(imported.stdout)

    assert HEAVY.isdisjoint(modules)
    assert cpu_s < MAX_CPU_S, f"took {cpu_s:.2f} s"
