"""Who may open a socket, and whose socket is closed later."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings
from websockets.exceptions import InvalidStatus

from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId

Connect = Callable[..., Tab]
AsUser = Callable[..., Tab]
NUL = '"\\000aaaaaaaa"'  # a quoted cookie may hold any character, which PostgreSQL may not


def login_cookie(value: str) -> dict[str, str]:
    from django.conf import settings

    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={value}"}


@pytest.fixture
def cookie(client: "Client", alice: "User", settings: Settings) -> dict[str, str]:
    """The cookie of Alice's login."""
    from tests.support.cast import PASSWORD

    assert client.login(username="alice", password=PASSWORD)
    return login_cookie(client.cookies[settings.SESSION_COOKIE_NAME].value)


@pytest.mark.daphne
def test_the_subprotocol_is_echoed(as_user: AsUser, alice: "User") -> None:
    assert as_user(alice).socket.subprotocol == "durable-sessions.v1"


@pytest.mark.daphne
def test_a_client_without_subprotocol_is_served(as_user: AsUser, alice: "User") -> None:
    assert as_user(alice, offers_subprotocol=False).socket.subprotocol is None


def test_the_welcome_says_who_and_how_much(connect: Connect, alice: "User") -> None:
    from sessions_core.services import tokens

    tab = connect(token=tokens.issue(alice))
    welcome = tab.hello()

    assert (welcome["protocol"], welcome["user"], welcome["name"]) == (1, str(alice.pk), "Alice")
    assert (welcome["device"], welcome["heartbeat_ms"]) == (tab.device, 10_000)
    assert welcome["limits"]["frame_bytes"] == 524_288


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer ds_wrong"}, login_cookie("wrong"), login_cookie(NUL)]
)
def test_strangers_are_let_in_to_be_told(connect: Connect, headers: dict[str, str]) -> None:
    assert connect(headers=headers).close_code() == 4401


@pytest.mark.daphne
def test_a_signed_in_browser_is_welcome(connect: Connect, server: str, cookie: dict[str, str]) -> None:
    tab = connect(headers={**cookie, "Origin": f"http://{server}"})

    assert tab.hello()["name"] == "Alice"


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "null", "http://127.0.0.1.evil.example", "nonsense", "http://[", ""),
        *("http://127.0.0.1", "http://127.0.0.1:1", "http://localhost:{port}", "https://127.0.0.1:{port}"),
    ],
)
def test_another_origins_page_is_turned_away(
    connect: Connect, server: str, cookie: dict[str, str], origin: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(headers={**cookie, "Origin": origin.format(port=server.partition(":")[2])})
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("", "https://{server}"),  # the proxy ends TLS and passes the whole Host on
        ("localhost", "https://localhost"),  # nginx with `proxy_set_header Host $host`
        ("localhost", "http://localhost"),
    ],
)
def test_a_page_behind_a_proxy_is_our_own(
    connect: Connect, server: str, cookie: dict[str, str], host: str, origin: str
) -> None:
    forwarded = {"X-Forwarded-Proto": origin.partition(":")[0], "Origin": origin.format(server=server)}

    assert connect(host=host, headers={**cookie, **forwarded}).hello()["name"] == "Alice"


def test_a_page_on_a_port_that_the_proxy_hides_is_named_in_the_log_and_may_be_trusted(
    connect: Connect, cookie: dict[str, str], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {**cookie, "X-Forwarded-Proto": "https", "Origin": "https://localhost:8443"}

    with pytest.raises(InvalidStatus):
        connect(host="localhost", headers=headers)
    assert "A page of https://localhost:8443 may not open a socket" in caplog.text
    assert "browsers reach this server at https://localhost." in caplog.text
    assert "CSRF_TRUSTED_ORIGINS" in caplog.text

    settings.CSRF_TRUSTED_ORIGINS = ["https://localhost:8443"]
    assert connect(host="localhost", headers=headers).hello()["name"] == "Alice"


def test_a_name_that_is_not_ours_makes_no_page_our_own(connect: Connect, cookie: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus):
        connect(host="evil.example", headers={**cookie, "Origin": "http://evil.example"})


def test_any_host_does_not_mean_any_site(connect: Connect, cookie: dict[str, str], settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    with pytest.raises(InvalidStatus):
        connect(headers={**cookie, "Origin": "https://evil.example"})


def test_a_token_needs_no_origin(connect: Connect, alice: "User") -> None:
    from sessions_core.services import tokens

    tab = connect(token=tokens.issue(alice), headers={"Origin": "https://elsewhere.example"})
    assert tab.hello()


@pytest.mark.daphne
def test_a_revoked_token_loses_its_socket(connect: Connect, alice: "User") -> None:
    from sessions_core.models import ApiToken
    from sessions_core.services import tokens

    tab = connect(token=tokens.issue(alice))
    tab.hello()
    tokens.revoke(ApiToken.objects.get(user=alice))

    assert tab.close_code() == 4401


@pytest.mark.daphne
def test_signing_out_closes_the_sockets(connect: Connect, cookie: dict[str, str], client: "Client") -> None:
    tab = connect(headers=cookie)
    tab.hello()
    client.logout()

    assert tab.close_code() == 4401


def test_a_new_password_closes_the_sockets(connect: Connect, cookie: dict[str, str], alice: "User") -> None:
    tab = connect(headers=cookie)
    tab.hello()
    alice.set_password("another one entirely")
    alice.save()

    assert tab.close_code() == 4401


def test_who_may_not_sign_in_any_more_is_put_out(as_user: AsUser, alice: "User") -> None:
    tab = as_user(alice)
    alice.is_active = False
    alice.save()

    assert tab.close_code() == 4401


@pytest.mark.daphne
def test_a_removed_participant_stops_receiving(
    as_user: AsUser, bob: "User", session: "SessionId", owner: "Author"
) -> None:
    from sessions_core.models import Participant
    from tests.db.acts import post_message

    Participant.objects.create(session_id=session, user=bob, role="editor")
    tab = as_user(bob)
    tab.subscribe(session)
    tab.until_seq(2)
    Participant.objects.filter(user=bob).delete()

    tab.next("removed", session=session)
    post_message(session, owner, "not for Bob")
    tab.send("ping", n=1)
    assert tab.next("pong")["heads"] == {}
    assert tab.seqs == [1, 2]


def test_a_deleted_session_is_taken_away(as_user: AsUser, alice: "User", session: "SessionId", owner: "Author") -> None:
    from sessions_core.services import deletion

    tab = as_user(alice)
    tab.subscribe(session)
    deletion.delete(session, by=owner)

    tab.next("removed", session=session)
    tab.send("subscribe", session=session)
    assert tab.refusal()["code"] == "not_found"


def test_one_user_has_so_many_sockets(as_user: AsUser, alice: "User", settings: "pytest.FixtureRequest") -> None:
    from sessions_core.services import tokens

    settings.CONNECTIONS_PER_USER = 2  # type: ignore[attr-defined]
    kept = [as_user(alice), as_user(alice)]
    token = tokens.issue(alice)
    assert token

    from websockets.exceptions import ConnectionClosed

    with pytest.raises(ConnectionClosed) as closed:
        as_user(alice)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4409
    kept[0].send("ping")
    kept[0].next("pong")


def test_one_address_has_so_many_sockets(as_user: AsUser, alice: "User", settings: "pytest.FixtureRequest") -> None:
    from websockets.exceptions import ConnectionClosed

    settings.CONNECTIONS_PER_ADDRESS = 0  # type: ignore[attr-defined]
    with pytest.raises(ConnectionClosed) as closed:
        as_user(alice)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
