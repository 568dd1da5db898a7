"""Executes the frames of a client. The Receiver calls it for one frame at a time, so that two posts keep their order."""

from collections.abc import Callable, Iterable
from typing import Any, Final, assert_never

from msgspec import UNSET, UnsetType

from sessions_core import bridge
from sessions_core.consumers.subscribe import subscribe
from sessions_core.live.connection import HEARTBEAT_MS, Connection
from sessions_core.live.delivery import Delivery
from sessions_core.live.limits import FRAME_BURST, FRAMES_PER_S, SUBSCRIPTIONS, WAITING_BYTES
from sessions_core.protocol.errors import BadField, HelloFirst, Refusal
from sessions_core.protocol.events import Part
from sessions_core.protocol.frames import (
    FRAME_BYTES,
    VERSION,
    Answer,
    Cancel,
    ClientFrame,
    Command,
    EditQueued,
    Hello,
    Ok,
    Ping,
    Pong,
    Post,
    PostedPart,
    Read,
    Regenerate,
    ResumeQueue,
    Subscribe,
    Typing,
    Unqueue,
    Unsubscribe,
    Unsubscribed,
    Welcome,
    error_of,
)
from sessions_core.protocol.ids import ClientId, SessionId
from sessions_core.services import asks, devices, messages, runs, sessions
from sessions_core.services.failures import refusal_of

LIMITS: Final = {
    "frame_bytes": FRAME_BYTES,
    "message_characters": messages.MESSAGE_CHARACTERS,
    "message_parts": messages.MESSAGE_PARTS,
    "frames_per_second": FRAMES_PER_S,
    "frames_at_once": FRAME_BURST,
    "waiting_bytes": WAITING_BYTES,
    "subscriptions": SUBSCRIPTIONS,
}


async def execute(frame: ClientFrame, connection: Connection, delivery: Delivery) -> None:
    """Executes the frame and answers it, with an `error` if it is refused. Never raises."""
    try:
        await _execute(frame, connection, delivery)
    except Exception as error:  # noqa: BLE001  # the edge: one frame must not end the socket
        _refuse(refusal_of(error), frame, connection)


def execute_at_once(frame: Ping | Typing, connection: Connection, delivery: Delivery) -> None:
    """Executes a frame that needs neither the database nor its turn."""
    match frame:
        case Ping():
            connection.reply(Pong(heads=connection.heads(), n=frame.n))
        case Typing():
            _set_typing(frame, connection, delivery)
        case _:
            assert_never(frame)


async def _execute(frame: ClientFrame, connection: Connection, delivery: Delivery) -> None:
    if not isinstance(frame, Hello) and connection.device is None:
        raise HelloFirst
    match frame:
        case Hello():
            await _hello(frame, connection)
        case Subscribe():
            await subscribe(frame, connection, delivery)
        case Unsubscribe():
            connection.leave(frame.session)
            connection.reply(Unsubscribed(session=frame.session))
        case Ping() | Typing():
            execute_at_once(frame, connection, delivery)
        case Read() | Post() | Cancel() | Regenerate() | Answer() | Unqueue() | EditQueued() | ResumeQueue():
            await _execute_write(frame, connection, delivery)
        case _:
            assert_never(frame)


async def _hello(frame: Hello, connection: Connection) -> None:
    if connection.device is None:
        await bridge.run(devices.mark_seen, connection.caller.user, frame.device, label=frame.label)
        connection.device, connection.label = frame.device, frame.label.strip()
    connection.reply(
        Welcome(
            protocol=VERSION,
            user=str(connection.caller.user),
            name=connection.caller.name,
            device=connection.device,
            heartbeat_ms=HEARTBEAT_MS,
            limits=LIMITS,
        )
    )


def _set_typing(frame: Typing, connection: Connection, delivery: Delivery) -> None:
    if frame.session in connection.subscriptions and connection.device is not None:
        user, device = connection.caller.user, connection.device
        delivery.presence.typing(frame.session, user, device, active=frame.active)


async def _execute_write(frame: Read | Command, connection: Connection, delivery: Delivery) -> None:
    connection.caller.check_can_write()
    if connection.device is not None:
        delivery.presence.act(connection.subscriptions, connection.caller.user, connection.device)
    match frame:
        case Read():
            await bridge.run(sessions.mark_read, frame.session, user=connection.caller.user, seq=frame.seq)
        case Post():
            await _post(frame, connection)
        case Cancel():
            await _cancel(frame, connection)
        case Unqueue():
            await _change_queue(runs.withdraw, frame, connection, message=frame.message)
        case EditQueued():
            parts = _parts(frame.parts)
            await _change_queue(messages.edit_queued, frame, connection, message=frame.message, parts=parts)
        case ResumeQueue():
            await _change_queue(runs.resume_queue, frame, connection)
        case Answer():
            await _answer(frame, connection)
        case Regenerate():
            await _regenerate(frame, connection)
        case _:
            assert_never(frame)


async def _post(frame: Post, connection: Connection) -> None:
    posted = await bridge.run(
        messages.post,
        frame.session,
        by=connection.author,
        client_id=frame.id,
        parts=_parts(frame.parts),
        parent=frame.parent,
        agent=frame.agent,
        policy=frame.policy,
    )
    run = UNSET if posted.run is None else posted.run
    connection.reply(Ok(id=frame.id, seq=posted.seq, message=posted.message, run=run, outcome=posted.outcome))


async def _regenerate(frame: Regenerate, connection: Connection) -> None:
    requested = await bridge.run(
        runs.regenerate, frame.session, by=connection.author, client_id=frame.id, message=frame.message
    )
    connection.reply(Ok(id=frame.id, seq=requested.seq, run=requested.run))


def _parts(parts: Iterable[PostedPart]) -> list[Part]:
    return [Part(type="text", text=part.text) for part in parts]


async def _change_queue(
    change: Callable[..., runs.QueueChanged],
    frame: Unqueue | EditQueued | ResumeQueue,
    connection: Connection,
    **arguments: Any,  # noqa: ANN401  # what the act takes
) -> None:
    changed = await bridge.run(change, frame.session, by=connection.author, client_id=frame.id, **arguments)
    connection.reply(Ok(id=frame.id, seq=changed.seq, message=arguments.get("message", UNSET)))


async def _answer(frame: Answer, connection: Connection) -> None:
    by, client_id = connection.author, frame.id
    if frame.declined:
        answered = await bridge.run(asks.decline, frame.session, frame.ask, by=by, client_id=client_id)
    elif frame.value is UNSET:
        raise BadField("Give a `value`, or `declined`.")
    else:
        answered = await bridge.run(
            asks.answer,
            frame.session,
            frame.ask,
            by=by,
            client_id=client_id,
            value=frame.value,
            device_label=connection.label,
        )
    connection.reply(Ok(id=frame.id, seq=answered.seq))


async def _cancel(frame: Cancel, connection: Connection) -> None:
    stopped = await bridge.run(runs.cancel, frame.session, by=connection.author, client_id=frame.id, run_id=frame.run)
    run = frame.run or (stopped.runs[0] if len(stopped.runs) == 1 else None)
    connection.reply(Ok(id=frame.id, seq=stopped.seq, run=UNSET if run is None else run, outcome="cancel_requested"))


def _refuse(refusal: Refusal, frame: ClientFrame, connection: Connection) -> None:
    """Answers with an `error` that names the client id and the Session of the frame, if it has them."""
    connection.reply(error_of(refusal, id=_client_id(frame), session=_session_of(frame)))


def _client_id(frame: ClientFrame) -> ClientId | UnsetType:
    return frame.id if isinstance(frame, Command) else UNSET


def _session_of(frame: ClientFrame) -> SessionId | UnsetType:
    match frame:
        case Hello() | Ping():
            return UNSET
        case _:
            return frame.session
