"""The sentences that both the server and the script of a page show, in the reader's language."""

from typing import Final

from django.utils.translation import gettext_lazy as _

STRINGS: Final = {
    "you": _("You"),
    "thinking": _("{agent} is thinking"),
    "again": _("{agent} started again after an interruption"),
    "queued": _("Waits until the answer before it is done"),
    "stopping": _("Stopping …"),
    "stopped_by": _("Stopped by {name}"),
    "stopped_by_you": _("Stopped by you"),
    "stopped": _("Stopped"),
    "interrupted": _("The answer was interrupted. What was written is kept."),
    "failed": _("The answer failed."),
    "empty": _("{agent} ended without an answer."),
    "truncated": _("The answer is not whole: {agent} reached the greatest length that its model writes."),
    "filtered": _("The answer is not whole: a filter of the model's provider stopped it. Try other words."),
    "refused": _("{agent} declined to answer. Try other words, or say what you need it for."),
    "go_on": _("Go on."),
    "pending": _("Sending …"),
    "offline_pending": _("Waits for the connection"),
    "not_sent": _("Not sent: {reason}"),
    "live": _("Live"),
    "connecting": _("Connecting …"),
    "reconnecting": _("Reconnecting in {seconds} s"),
    "reconnecting_now": _("Reconnecting …"),
    "offline": _("Offline. What you send waits here."),
    "signed_out": _("Signed out"),
    "not_connected": _("Not connected: {reason}"),
    "ended_elsewhere": _(
        "This conversation is gone: it was deleted, or you take no part in it any more. "
        "What you typed is still here; copy it before you leave."
    ),
    "too_long": _("{over} characters too many: a message can have {limit}."),
    "copied": _("Copied"),
    "answering": _("{agent} is answering"),
    "complete": _("Answer complete"),
    "untitled": _("New session"),
    "retry_failed": _("That did not work. Try again in a moment."),
    "load_failed": _("Earlier messages could not be loaded. Try again."),
    "send_failed": _("This could not be sent. Your text is kept; try again in a moment."),
    "try_now": _("Try now"),
    "sign_in": _("Sign in"),
    "copy": _("Copy"),
    "title": _("Title"),
}

# Questions that the start page offers, for the Guide to answer.
IDEAS: Final = (
    _("What is a durable session?"),
    _("How do I write an agent?"),
    _("What happens when a worker dies?"),
)
