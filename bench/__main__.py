"""`python -m bench [--rounds N] [MEASURE …]`: takes the measures that are named. Without names: all, into bench/RESULTS.md."""

import subprocess
from argparse import ArgumentParser
from pathlib import Path

from bench import report
from bench.measures import ALL
from tests.support.machine import machine

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = ArgumentParser(description="Measures ours beside its peers.")
    parser.add_argument(
        "measures", nargs="*", choices=[*ALL, []], default=[], help="all of them, unless some are named"
    )
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=HERE, check=True)
    results = []
    for name in arguments.measures or ALL:
        # A Machine for each, so that no measure pays for what another one has left behind.
        with machine(CONNECTIONS_PER_USER="5000", SCRIPT_AGENT="1", COMPACT_AFTER_S="3600") as fresh:
            results.append(ALL[name](fresh, arguments.rounds))
        print(f"{'reached' if results[-1].reached else 'MISSED '}  {results[-1].name}: {results[-1].found}", flush=True)
    if not arguments.measures:
        (HERE / "RESULTS.md").write_text(report.write(results, arguments.rounds))


if __name__ == "__main__":
    main()
