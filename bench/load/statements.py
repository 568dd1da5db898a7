"""`python -m bench.load.statements CLAIMS BATCH FOLDER`: writes the append of each claim to `FOLDER/n.sql`."""

import json
import sys
from pathlib import Path
from uuid import UUID

import django

django.setup()

from sessions_core.log import Write, writing  # noqa: E402
from sessions_core.protocol.claim import WriteGrant  # noqa: E402
from sessions_core.protocol.events import Actor, MessageDelta  # noqa: E402
from sessions_core.protocol.ids import MessageId, RunId, SessionId, new_message  # noqa: E402


def delta(message: MessageId) -> MessageDelta:
    return MessageDelta(message=message, part=0, part_type="text", offset=3, text="w123 w124 ")


if __name__ == "__main__":
    claims, batch, folder = json.loads(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    actor = Actor(kind="agent", id="script", name="Script")
    for number, one in enumerate(claims):
        grant = WriteGrant(SessionId(UUID(one["session"])), RunId(UUID(one["run"])), int(one["fence"]), actor)
        statement, values = writing.append_all_sql([Write(grant, [delta(new_message())] * batch)])
        # pgbench reads `:null` as a variable of its own, even inside quotes.
        text = statement % {name: "'{}'".format(value.replace('":', '": ')) for name, value in values.items()}
        (folder / f"{number}.sql").write_text(" ".join(text.split()) + ";\n")
