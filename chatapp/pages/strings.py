"""The sentences that both the server and the script of a page show, in the reader's language."""

from typing import Final

from django.utils.translation import gettext_lazy as _

STRINGS: Final = {
    "you": _("You"),
    "by_you": _("you"),  # “Answered by you”
    "thinking": _("{agent} is thinking"),
    "again": _("{agent} started again after an interruption"),
    "queued": _("Waits until the answer before it is done"),
    "waits_for_you": _("Waits for your answer"),
    "waits_for_answer": _("Waits for an answer"),
    "sleeps": _("Sleeps until"),
    "sleeps_on": _("Sleeps"),
    "waits_for_signal": _("Waits for “{name}”"),
    "waits_for_agents": _("Waits for other agents"),
    "steering": _("The agent reads it at its next step"),
    "steered": _("Read by the agent"),
    "paused_failed": _("Paused, because an answer failed."),
    "paused_stopped": _("Paused, because an answer was stopped."),
    "tool_at_work": _("at work"),
    "tool_asked": _("waits until it is allowed"),
    "tool_done": _("done"),
    "tool_failed": _("failed"),
    "tool_unknown": _("nobody knows whether it was done"),
    "ask_answer": _("Answer"),
    "ask_number": _("Write a number."),
    "ask_integer": _("Write a whole number."),
    "ask_json": _("This is not JSON yet. Mind the quotes and brackets."),
    "asks": _("{agent} asks: {title}"),
    "left_queue": _("That message does not wait any more. Your change is in the field below."),
    "stop_all": _(
        "Stop the answer and take back everything that waits? What you wrote comes back into the field below."
    ),
    "yes": _("Yes"),
    "no": _("No"),
    "ask_answered": _("Answered by {name}"),
    "ask_allowed": _("Allowed by {name}"),
    "ask_allowed_always": _("Allowed by {name}, from now on without asking"),
    "ask_refused": _("Refused by {name}"),
    "ask_on_device": _("{said}, with {device}"),
    "ask_declined": _("Declined"),
    "ask_declined_by": _("Declined by {name}"),
    "ask_replied": _("Answered with a message"),
    "ask_expired": _("Nobody answered in time"),
    "ask_run_ended": _("Closed, because the answer ended"),
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
