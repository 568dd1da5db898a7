"""The model loop, `message.model(…)`: a request, the tool calls of its answer, the next request, until the model calls no tool.

Each request and each call is a Step, so a later attempt makes none of them again: it finds the answers and writes them anew.
"""

import inspect
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart, ToolReturnPart

from agents.provider import chat, ending, failures, history
from agents.provider.approval import Approvals
from agents.provider.calls import Call
from agents.provider.request import Answer, Request, say
from agents.sdk import AgentFailed, AgentRun, Message, Prompt
from agents.sdk.failure import failure_of
from agents.sdk.model import GivenPrompt
from agents.sdk.prompt import named
from agents.sdk.tool import Tool

INSTRUCTIONS: Final = "You are a helpful assistant. Answer in Markdown."


async def answer(
    run: AgentRun,
    message: Message,
    prompt: GivenPrompt,
    *,
    tools: Sequence[Tool] | None = None,
    note: str | None = None,
    instructions: str | None = None,
) -> str:
    """Streams the model's answer into the Message, performs the tool calls in it, and returns the text that it has ended with.

    With `note` the model is also shown what it said in this Message before, and then the note, as a person's. Raises AgentFailed
    with a sentence for people.
    """
    shown = await prompt if inspect.isawaitable(prompt) else prompt
    instructions = INSTRUCTIONS if instructions is None else instructions
    messages = history.model_messages(shown, instructions=instructions)
    if note is not None:
        history.add_notes(message.exchange, [note], instructions=instructions)
        messages += message.exchange
    names = isinstance(shown, Prompt) and shown.names
    loop = _Loop(run, message, messages, run.tools if tools is None else tools, instructions, names=names)
    with failures.for_people():
        return await loop.go_on()


class _Loop:
    def __init__(
        self,
        run: AgentRun,
        message: Message,
        messages: list[ModelMessage],
        tools: Sequence[Tool],
        instructions: str,
        *,
        names: bool,  # the messages of people begin with their names
    ) -> None:
        self._run, self._message, self._messages, self._instructions = run, message, messages, instructions
        self._names = names
        self._tools = {tool.name: tool for tool in tools}
        self._notes: list[str] = []  # that the next request shows for the first time
        self._approvals = Approvals(run.approve)

    async def go_on(self) -> str:
        """Returns the text of the last answer."""
        has_spoken = False
        number, kept = await self._next()
        while True:
            answer = await self._answer(number, kept)
            response = answer.model_response()
            self._add(response)
            said = "".join(text for kind, text in answer.said if kind == "text")
            has_spoken = has_spoken or bool(said.strip())
            calls = [part for part in response.parts if isinstance(part, ToolCallPart)] if self._tools else []
            if calls:
                history.add_results(self._messages, await self._perform(calls, number), instructions=self._instructions)
                self._message.exchange.append(self._messages[-1])
            number, kept = await self._next()
            notes = await self._steers(number, kept)
            if not calls and not notes:
                self._message.ended = answer.ended
                if not has_spoken and answer.ended is None:
                    raise ending.silent()
                return said
            self._note(notes)

    def _add(self, response: ModelResponse) -> None:
        self._messages.append(response)
        self._message.exchange.append(response)

    def _note(self, notes: Sequence[str]) -> None:
        """Shows the model what people have written to the Run while it worked."""
        for messages in (self._messages, self._message.exchange):
            history.add_notes(messages, notes, instructions=self._instructions)
        self._notes = list(notes)

    async def _next(self) -> tuple[str, Answer | None]:
        """Returns the number of the next request in the Run, and the answer to it that an earlier attempt has got."""
        number = self._message.next_request()
        kept = await self._run.journal.find(f"model-{number}")
        return number, msgspec.convert(kept.result, Answer) if kept is not None and kept.is_complete else None

    async def _steers(self, number: str, kept: Answer | None) -> list[str]:
        """Takes what people have written to the Run: what the next request has shown, where that is kept."""
        if kept is not None and not kept.notes:
            return []
        steers = await self._run.steers(key=f"steers-{number}")
        return [named(steer.author, steer.text) if self._names else steer.text for steer in steers]

    async def _answer(self, number: str, kept: Answer | None) -> Answer:
        if kept is not None:
            for kind, text in kept.said:
                await say(self._message, kind, text)
            self._message.add_usage(kept.usage, is_replayed=True)
            if kept.failure is not None:
                raise kept.failure.error()
            return kept
        await self._message.count_request()
        request = Request(chat.model(), history.valid(self._messages), list(self._tools.values()), self._message)
        try:
            with failures.for_people():
                answer = await request.send()
        except AgentFailed as failed:
            await self._keep(number, request.cut_off(failure_of(failed)))
            raise
        except BaseException:  # when it was stopped, too: the provider counts what it has read and written
            self._message.add_usage(request.estimated())
            raise
        await self._keep(number, answer)
        return answer

    async def _keep(self, number: str, answer: Answer) -> None:
        self._message.add_usage(answer.usage)
        answer.notes, self._notes = self._notes, []
        await self._run.journal.complete(f"model-{number}", msgspec.to_builtins(answer))

    async def _perform(self, parts: Sequence[ToolCallPart], number: str) -> list[ToolReturnPart[Any]]:
        calls = [
            Call(self._run, self._message, self._tools, part, key=f"tool-{number}.{n}", approvals=self._approvals)
            for n, part in enumerate(parts, 1)
        ]
        return await self._run.gather(call.perform() for call in calls)
