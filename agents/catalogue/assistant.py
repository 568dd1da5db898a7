"""Answers with the language model that CHAT_MODEL names."""

from django.conf import settings

from agents import provider
from agents.provider import local
from agents.sdk import AgentFailed, AgentRun, agent

NO_MODEL = "No model is set. Set CHAT_MODEL and CHAT_MODEL_KEY and start again; until then the Guide answers."


def description() -> str:
    """Returns what people are told about the model."""
    if settings.LOCAL_LLM:
        return local.label()
    return (
        f"Answers with the model {settings.CHAT_MODEL}."
        if settings.CHAT_MODEL
        else "Answers with a model, once one is set."
    )


def prepare() -> None:
    """Loads pydantic-ai, which takes more than a second, and makes the HTTP client, so that the first answer need not wait."""
    if settings.CHAT_MODEL:
        provider.load("loop")
        provider.load("chat").prepare()


@agent("assistant", title="Assistant", description=description(), prepare=prepare)
async def assistant(run: AgentRun) -> None:
    """Streams the model's answer and its reasoning."""
    if not settings.CHAT_MODEL:
        raise AgentFailed("no_model", NO_MODEL)
    async with run.message() as message:
        await message.model(run.prompt())
