"""A client for tests. It sends frames, waits for frames, and applies Events by the range rule of docs/reference/wire.md."""

import json
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Self
from uuid import UUID, uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.support.waiting import DEADLINE_S

Frame = dict[str, Any]


class Tab:
    """One socket. `frames` holds every frame that came, `applied` the Events that a client would have applied, both in order."""

    def __init__(
        self,
        address: str,
        *,
        token: str = "",
        host: str = "",
        headers: Mapping[str, str] | None = None,
        offers_subprotocol: bool = True,
    ) -> None:
        given = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        self.device = str(uuid4())
        reached, port = address.split(":")
        opening = connect(
            f"ws://{host or address}/ws/",  # decides about the header Host
            sock=socket.create_connection((reached, int(port))),
            additional_headers=given,
            subprotocols=[Subprotocol("durable-sessions.v1")] if offers_subprotocol else None,
            compression=None,
            ping_interval=None,
            proxy=None,
            max_size=None,
            close_timeout=0.5,
        )
        self._open = ExitStack()
        self.socket = self._open.enter_context(opening)
        self.frames: list[Frame] = []
        self.cursor = -1
        self.applied: list[Frame] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def send(self, type: str, **fields: object) -> None:
        self.send_text(json.dumps({"type": type, **fields}, default=str))

    def send_text(self, text: str | bytes) -> None:
        self.socket.send(text)

    def hello(self, label: str = "laptop") -> Frame:
        self.send("hello", device=self.device, label=label)
        return self.next("welcome")

    def subscribe(self, session: UUID, **fields: object) -> Frame:
        self.send("subscribe", session=session, **fields)
        return self.next("subscribed")

    def receive(self, within_s: float = DEADLINE_S) -> Frame:
        """Returns the next frame, of any type. Raises TimeoutError, ConnectionClosed."""
        frame: Frame = json.loads(self.socket.recv(timeout=within_s))
        self.frames.append(frame)
        if frame["type"] == "events":
            self._apply(frame)
        return frame

    def next(self, type: str, within_s: float = DEADLINE_S, **fields: object) -> Frame:
        """Returns the next frame of that type and with those fields. Frames before it are kept in `frames`."""
        while True:
            frame = self.receive(within_s)
            if frame["type"] == type and all(str(frame.get(name)) == str(value) for name, value in fields.items()):
                return frame

    def until_seq(self, seq: int) -> None:
        """Receives until the cursor is at `seq`."""
        while self.cursor < seq:
            self.receive()

    def until_kind(self, kind: str) -> Frame:
        """Receives until an Event of that kind was applied, and returns the last one."""
        while not (found := [event for event in self.applied if event["kind"] == kind]):
            self.receive()
        return found[-1]

    def refusal(self) -> Frame:
        return self.next("error")

    def close_code(self, within_s: float = DEADLINE_S) -> int:
        """Receives until the server closes the socket, and returns the close code."""
        try:
            while True:
                self.receive(within_s)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.applied]

    def _apply(self, frame: Frame) -> None:
        if self.cursor < 0:
            self.cursor = frame["from"]
        assert frame["from"] <= self.cursor, f"gap: the cursor is {self.cursor}, the frame begins at {frame['from']}"
        self.applied += [event for event in frame["events"] if event["seq"] > self.cursor]
        self.cursor = max(self.cursor, frame["to"])
