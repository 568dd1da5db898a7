"""Limits how often an address, or anybody with a name, may try a password or make an account.

The tries are counted in Redis for all web processes together, and never in the database, which is what a storm of tries would
exhaust. While Redis is away nothing is counted: people can still sign in, and the turns of `request_limit` bound the guesses to a
few a second for each process.
"""

import hashlib
import logging
import math
import unicodedata
from contextlib import suppress
from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import Final

import redis
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import ngettext
from msgspec import Struct

from sessions_core.protocol.errors import RateLimited
from sessions_core.services.callers import address_of

WINDOW_S: Final = 300  # from the first try that is counted; then the count begins anew
_REDIS_S: Final = 1.0  # then people sign in without being counted
_IPV6_NETWORK: Final = 64  # bits; what one customer of a provider has

logger = logging.getLogger(__name__)


class Try(Struct, frozen=True):
    """One try of `kind` by or for `who`, of which `most` are allowed within WINDOW_S."""

    kind: str
    who: str
    most: int

    @property
    def key(self) -> str:
        """Names the counter. Names of people are not kept in Redis."""
        return f"chat:tries:{self.kind}:{hashlib.sha256(self.who.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def sign_in(request: HttpRequest, name: str) -> tuple[Try, Try]:
    """Returns what a try to sign in counts as. The address comes first: one that is refused cannot use up the tries of a name."""
    same_name = unicodedata.normalize("NFKC", name).casefold()
    return (
        Try("sign-in-address", _network(request), settings.SIGN_INS_PER_ADDRESS),
        Try("sign-in-name", same_name, settings.SIGN_INS_PER_NAME),
    )


def sign_up(request: HttpRequest) -> Try:
    return Try("sign-up-address", _network(request), settings.SIGN_UPS_PER_ADDRESS)


def take(*tries: Try) -> None:
    """Counts the tries, one after the other. Raises RateLimited at the first that is one too many."""
    for each in tries:
        try:
            _, count, left_s = _counter(each, 1).execute()
        except (redis.RedisError, OSError) as error:
            logger.warning("Tries to sign in are not counted, because Redis does not answer: %s", error)
            return
        if count > each.most:
            raise RateLimited(_sentence(left_s), retry_after_ms=max(left_s, 1) * 1000)


def give_back(*tries: Try) -> None:
    """Takes back what `take` counted, because it was no guess."""
    with suppress(redis.RedisError, OSError):
        for each in tries:
            _counter(each, -1).execute()


def _counter(each: Try, step: int) -> "redis.client.Pipeline":
    """Returns commands that count, and that say how many seconds the counter still lives. Each counter expires."""
    pipeline = _redis().pipeline(transaction=True)
    pipeline.set(each.key, 0, ex=WINDOW_S, nx=True)
    pipeline.incrby(each.key, step)
    pipeline.ttl(each.key)
    return pipeline


def _sentence(left_s: int) -> str:
    minutes = math.ceil(max(left_s, 1) / 60)
    return ngettext(
        "That was tried too often. Try again in a minute.",
        "That was tried too often. Try again in {minutes} minutes.",
        minutes,
    ).format(minutes=minutes)


def _network(request: HttpRequest) -> str:
    """Returns the client's address; of an IPv6 address its network, since each customer has many."""
    given = address_of(request)
    try:
        address = ip_address(given)
    except ValueError:  # of a Unix socket
        return given
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or int(address) >> (128 - _IPV6_NETWORK))
    return str(address)


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S)
