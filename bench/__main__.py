"""`python -m bench [--rounds N] [MEASURE …]`: starts everything on loopback, measures in turn, writes bench/RESULTS.md."""

import subprocess
from argparse import ArgumentParser
from pathlib import Path

from bench import report
from bench.measures import ALL
from tests.support.machine import machine

HERE = Path(__file__).resolve().parent


def main() -> None:
    asked = ArgumentParser(description="Measures ours beside its peers.")
    asked.add_argument("measures", nargs="*", choices=[*ALL, []], default=[], help="all of them, unless some are named")
    asked.add_argument("--rounds", type=int, default=3)
    told = asked.parse_args()
    command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=HERE, check=True)
    results = []
    for name in told.measures or ALL:
        # A machine for each: no measure pays for what another one left behind.
        with machine(CONNECTIONS_PER_USER="5000", SCRIPT_AGENT="1", COMPACT_AFTER_S="3600") as fresh:
            results.append(ALL[name](fresh, told.rounds))
        print(f"{'reached' if results[-1].reached else 'MISSED '}  {results[-1].name}: {results[-1].found}", flush=True)
    if not told.measures:
        (HERE / "RESULTS.md").write_text(report.write(results, told.rounds))


if __name__ == "__main__":
    main()
