"""`python -m bench [--rounds N] [MEASURE …]`: takes the measures that are named. Without names: all, into bench/RESULTS.md."""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from bench import report
from bench.measures import ALL, SETTINGS, SPECIAL
from bench.systems import PEERS_VENV
from tests.support.machine import machine

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = ArgumentParser(description="Measures ours beside its peers.")
    parser.add_argument(
        "measures", nargs="*", choices=[*ALL, []], default=[], help="all of them, unless some are named"
    )
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    install()
    results = []
    for name in arguments.measures or ALL:
        # A Machine for each, so that no measure pays for what another one has left behind.
        with machine(**SETTINGS | SPECIAL.get(name, {})) as fresh:
            results.append(ALL[name](fresh, arguments.rounds))
        print(f"{'reached' if results[-1].reached else 'MISSED '}  {results[-1].name}: {results[-1].found}", flush=True)
    if not arguments.measures:
        (HERE / "RESULTS.md").write_text(report.write(results, arguments.rounds))


def install() -> None:
    """Installs the peers: those in JavaScript beside package.json, those in Python in a venv of their own."""
    command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=HERE, check=True)
    locked, stamp = HERE / "requirements.txt", PEERS_VENV / ".installed"
    if stamp.exists() and stamp.stat().st_mtime > locked.stat().st_mtime:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS_VENV)], check=True)
    command = [str(PEERS_VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--require-hashes", "--requirement", str(locked)], check=True)
    stamp.touch()


if __name__ == "__main__":
    main()
