"""The modules of the room `agents.provider` are imported by several threads at once, when a worker has just started."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
# The first thread is held up in the middle of pydantic-ai, where the modules import each other in a circle. Prints which threads
# have looked for modules, in turn.
LOADS: Final = """
import sys, threading
from itertools import groupby
import django
django.setup()
from agents import provider

class Finder:
    def find_spec(self, name, path, target=None):
        if threading.current_thread() in (first, second):
            seen.append(threading.current_thread().name)
        if name == "pydantic_ai.tools":
            second.start()
            second.join(1)

seen = []
first = threading.Thread(target=provider.load, args=["chat"], name="first")
second = threading.Thread(target=provider.load, args=["loop"], name="second")
sys.meta_path.insert(0, Finder())
first.start()
first.join()
second.join()
print(*(name for name, _ in groupby(seen)))
"""


def test_of_two_threads_that_load_the_provider_the_second_waits() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatapp.settings"}
    command = [sys.executable, "-c", LOADS]
    loaded = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert loaded.stdout == "first second\n", loaded.stderr
