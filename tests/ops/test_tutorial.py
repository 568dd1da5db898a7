"""docs/tutorial.md is true: every block of it is run, in its order, in a copy of this checkout."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

from tests.support.leftovers import open_folder
from tests.support.machine import ROOT, Machine
from tests.support.waiting import until

TUTORIAL: Final = (ROOT / "docs/tutorial.md").read_text("utf-8")
NOT_COPIED: Final = (".git", ".venv", "node_modules", "var", "__pycache__", ".*_cache", ".hypothesis", "test-results")
ADDRESS: Final = "http://127.0.0.1:8000"  # the page's; this machine has another one
WORKER: Final = "12345"  # the process, as well
BROKEN: Final = Path("agents/catalogue") / "broken.py"  # another agent, which cannot be imported
ANSWER_S: Final = 120  # at most; some ten seconds on a quiet machine, a kill and all

pytestmark = pytest.mark.timeout(480)


class Block(Struct, frozen=True):
    """A block of code, its language, and the file that the sentence before it names."""

    language: str
    text: str
    file: str | None


def blocks() -> Iterator[Block]:
    for sentence, language, text in re.findall(r"([^\n]*)\n\n```(\w*)\n(.*?)```", TUTORIAL, re.DOTALL):
        named = re.search(r"the file `([\w/.]+)`", sentence)
        yield Block(language=language, text=text, file=named[1] if named else None)


class Reader:
    """Somebody who does what the page says, with two terminals and a copy of the checkout."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        shutil.copytree(ROOT, self.clone, ignore=shutil.ignore_patterns(*NOT_COPIED))
        (self.clone / ".venv").symlink_to(sys.prefix)
        (self.clone / "node_modules").symlink_to(ROOT / "node_modules")
        (folder / "var").mkdir(mode=0o755)
        self.machine = Machine(folder / "var", self.clone)
        self._blocks = blocks()
        self._variables: dict[str, str] = {}
        self._log = folder / "script.log"

    def make_run(self) -> None:
        self.machine.start()
        self.machine.wait_until_ready()

    def next(self, language: str, begins: str) -> Block:
        """The next block of the page, which must be the one that the test expects."""
        block = next(self._blocks)
        assert (block.language, block.text.startswith(begins)) == (language, True), block.text
        return block

    def write(self, block: Block) -> None:
        assert block.file is not None
        (self.clone / block.file).write_text(block.text)

    def run(self, block: Block) -> str:
        """Runs the block in the second terminal, which keeps what it exports; gives what it printed."""
        kept = self.clone / "exported"
        command = ["bash", "-euo", "pipefail", "-c", f"{self._typed(block)}\nenv -0 > {kept}"]
        done = subprocess.run(
            command,
            cwd=self.clone,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_S,
        )
        assert done.returncode == 0, done.stderr + self.machine.log()
        pairs = (pair.partition("=") for pair in kept.read_text().split("\0"))
        self._variables = {name: value for name, _, value in pairs if name in {"CHAT", "TOKEN", "SESSION"}}
        return done.stdout

    def begin(self, block: Block) -> subprocess.Popen[bytes]:
        """Starts the block in a terminal of its own."""
        command = ["bash", "-c", self._typed(block)]
        with self._log.open("wb") as log:
            return subprocess.Popen(command, cwd=self.clone, env=self._environment(), stdout=log, stderr=log)

    def printed(self) -> str:
        return self._log.read_text()

    def left_over(self) -> list[Block]:
        return list(self._blocks)

    def _typed(self, block: Block) -> str:
        return block.text.replace(ADDRESS, self.machine.url).replace(WORKER, str(self.machine.pid("worker")))

    def _environment(self) -> dict[str, str]:
        return {**self.machine.environment, **self._variables}


@pytest.fixture
def reader() -> Iterator[Reader]:
    with open_folder() as folder:
        made = Reader(folder)
        try:
            yield made
        finally:
            made.machine.end()


def answer(attempt: int) -> str:
    """What the page's agent says."""
    steps = re.findall(r'"([^"]+\.)"', TUTORIAL.split("STEPS = (")[1].split("\n")[0])
    listed = "".join(f"{number}. {step}\n" for number, step in enumerate(steps, start=1))
    return f"{listed}\nThis was attempt {attempt}."


def test_every_step_does_what_the_page_says(reader: Reader) -> None:
    reader.next("sh", "make run")
    reader.make_run()
    for line in reader.next("", "up").text.splitlines():
        assert re.sub(r"http\S+", "", line) in re.sub(r"http\S+", "", reader.machine.log())

    reader.write(reader.next("python", '"""Says how tea'))
    (reader.clone / BROKEN).write_text("import nothing_of_that_name\n")
    reader.machine.stop()
    reader.make_run()
    reader.machine.until(lambda: f"up       | ERROR {BROKEN}, line 1, " in reader.machine.log())
    reader.machine.until(lambda: f"worker   | ERROR agents.tasks: {BROKEN}, line 1, " in reader.machine.log())
    assert f"(agents.E001) {BROKEN}, line 1, " in reader.machine.manage("check").stderr
    for begins in ("export CHAT", "export SESSION"):
        reader.run(reader.next("sh", begins))
    reader.write(reader.next("python", "import asyncio"))
    assert reader.run(reader.next("sh", ".venv/bin/python ask.py")) == answer(attempt=1)

    asking = reader.begin(reader.next("sh", ".venv/bin/python ask.py"))
    until(lambda: "\n2. " in reader.printed(), within_s=ANSWER_S, otherwise=reader.machine.log)
    os.kill(
        reader.machine.pid("worker"), signal.SIGSTOP
    )  # the answer must not end while a busy machine starts the shell
    reader.run(reader.next("sh", "kill -9"))
    assert asking.wait(ANSWER_S) == 0, reader.printed()
    before, _, after = reader.printed().partition("\n-- The worker is gone. Another one begins anew. --\n")
    assert before.startswith("1. Fill the kettle.\n2. ")
    assert after == answer(attempt=2)

    timeline = json.loads(reader.run(reader.next("sh", "curl")))
    texts = ["".join(part["text"] for part in message["parts"]) for message in timeline["messages"]]
    assert texts == ["Tea, please.", answer(attempt=1), "Tea, please.", answer(attempt=2)]
    assert reader.left_over() == []
