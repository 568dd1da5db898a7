"""`make test-more`: what takes too long for each change. The last line counts all of it; before it stands what was left out."""

import sys

from tests.stages import MORE, run, total

LEFT_OUT = "Not played here: the rest of `make test`; `make faults`, `make bench` and `make test-busy`, each alone."


def main() -> int:
    rounds = {stage: run(stage) for stage in MORE}
    sys.stdout.write(f"\n{LEFT_OUT}\n")
    for stage, outcome in rounds.items():
        sys.stdout.write(f"{stage:18} {outcome}\n")
    outcome = total([*rounds.values()])
    sys.stdout.write(f"\n{outcome}\n")
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
