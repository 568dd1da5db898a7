"""The supervisor restarts, gives up and stops, here with small Python programs."""

import sys
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from chatapp.launcher.supervisor.output import Output
from chatapp.launcher.supervisor.programs import Program
from chatapp.launcher.supervisor.supervisor import GaveUp, Supervisor

FAILS = "print('ERROR no room left', flush=True); raise SystemExit(3)"
STUBBORN = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("deaf").touch()
time.sleep(600)
"""
DIES_BEFORE_ITS_CHILD = """
import os, signal, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
os.kill(os.getpid(), signal.SIGKILL)
"""


def trial(source: str, folder: Path, *, ready_after: str = "") -> Program:
    """Returns the Python program `source`; it is ready once it has created the file `ready_after`."""
    command = [sys.executable, "-c", source]
    return Program("trial", lambda: command, SIGTERM, (folder / ready_after).exists, folder, stop_within_s=0.3)


def test_a_program_that_keeps_dying_is_given_up_with_its_last_lines(tmp_path: Path) -> None:
    supervisor = Supervisor(Output())
    supervisor.start([trial(FAILS, tmp_path)])
    with pytest.raises(
        GaveUp, match=r"trial ended 5 times in a row, with status 3\. Its last lines:\n    ERROR no room"
    ):
        supervisor.watch()


def test_a_program_that_died_is_started_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first_time = "import pathlib, os; p = pathlib.Path('tried'); seen = p.exists(); p.touch();"
    then = "seen or os.kill(os.getpid(), 9); pathlib.Path('ready').touch(); import time; time.sleep(600)"
    supervisor = Supervisor(Output())
    program = trial(first_time + then, tmp_path, ready_after="ready")
    supervisor.start([program])
    supervisor.wait_until_ready([program])
    supervisor.stop(["trial"])
    assert "trial ended, killed by SIGKILL; it is started again in 0.25 s." in capfd.readouterr().out


def test_a_program_that_does_not_stop_is_killed_with_its_children(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    supervisor = Supervisor(Output())
    program = trial(STUBBORN, tmp_path, ready_after="deaf")
    supervisor.start([program])
    supervisor.wait_until_ready([program])
    supervisor.stop(["trial"])
    assert "trial does not stop: killed." in capfd.readouterr().out


def test_a_child_that_outlives_its_program_does_not_hide_its_death(tmp_path: Path) -> None:
    supervisor = Supervisor(Output())
    supervisor.start([trial(DIES_BEFORE_ITS_CHILD, tmp_path)])
    with pytest.raises(GaveUp, match=f"killed by {SIGKILL.name}"):
        supervisor.watch()
