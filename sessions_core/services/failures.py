"""Turns whatever went wrong into the Refusal that people and programs are given, and logs what the operator must see.

Every edge asks here: the socket, the API and the pages. Waiting helps only while the database is in trouble. A value that it
cannot hold will never pass, and a bug of ours does not pass by itself either, so neither is to be repeated.
"""

import logging
from typing import Final

import psycopg
from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, InterfaceError, OperationalError

from sessions_core.protocol.errors import BadField, Broken, Busy, NotFound, Refusal

# PostgreSQL's classes of SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_LIMIT_EXCEEDED: Final = "54"  # psycopg calls it operational, but the value is too large or nested too deeply
_READ_ONLY: Final = "25006"  # a standby, in the middle of a failover; psycopg calls it internal

logger = logging.getLogger(__name__)


def refusal_of(error: Exception) -> Refusal:
    """Returns the Refusal for any exception. A bug is logged with its traceback, trouble of the database by one line."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ObjectDoesNotExist):  # deleted concurrently
        return NotFound()
    if is_outage(error):
        logger.error("The database could not serve a call: %s", error)
        return Busy("The database cannot be reached. Try again in a moment.")
    if is_unfit(error):
        logger.warning("A value passed validation that the database cannot hold: %s", error)
        return BadField("A value is too large, or holds a character that cannot be kept.")
    logger.error("A call broke.", exc_info=error)
    return Broken()


def is_outage(error: BaseException) -> bool:
    """Returns whether the database is away, overloaded or restarting, so that the same call may pass later."""
    state = _sqlstate(error)
    operational = isinstance(
        error, (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
    )
    return state == _READ_ONLY or (operational and not state.startswith(_LIMIT_EXCEEDED))


def is_unfit(error: BaseException) -> bool:
    """Returns whether the database refused a value that it can never hold."""
    return isinstance(error, DataError) or _sqlstate(error).startswith(_LIMIT_EXCEEDED)


def _sqlstate(error: BaseException) -> str:
    """Returns PostgreSQL's code of the error, which Django wraps; empty for errors that PostgreSQL did not send."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""
