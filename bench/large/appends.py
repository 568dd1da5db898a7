"""`python -m bench.large.appends FILE PER_S SECONDS`: appends Events to Sessions of FILE in turn; prints how many it appended."""

import random
import sys
import time
from pathlib import Path
from uuid import UUID

import django

django.setup()

from django.conf import settings  # noqa: E402

from sessions_core import log  # noqa: E402
from sessions_core.protocol.events import SYSTEM, SessionRenamed  # noqa: E402
from sessions_core.protocol.ids import SessionId  # noqa: E402

if __name__ == "__main__":
    settings.RUN_DISPATCHER = "tests.support.quiet.QuietDispatcher"
    sessions = [SessionId(UUID(line)) for line in Path(sys.argv[1]).read_text().split()]
    random.Random(1).shuffle(sessions)
    per_s, seconds = int(sys.argv[2]), float(sys.argv[3])
    began = time.monotonic()
    for number in range(int(per_s * seconds)):
        time.sleep(max(0.0, began + number / per_s - time.monotonic()))
        log.append(sessions[number % len(sessions)], [SessionRenamed(title=f"Title {number}")], actor=SYSTEM)
    time.sleep(1)  # for the last hint
    sys.stdout.write(f"{int(per_s * seconds)}\n")
