"""`make test`: every test there is. The last line counts all of them."""

import sys

from tests.stages import STAGES, run, total


def main() -> int:
    outcome = total([run(stage) for stage in STAGES])
    sys.stdout.write(f"\n{outcome}\n")
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
