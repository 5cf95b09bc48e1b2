"""Phi-3 and Phi-3.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import Answered, Holds, Reference, Shown, assistant, result, system, talk, user

if TYPE_CHECKING:
    from corral.conversation import Conversation


def forgets_results(conversation: Conversation) -> bool:
    return any(message.role == "tool" for message in conversation.messages)


CASES = (
    Reference(
        renderer="phi3",
        template="microsoft-Phi-3.5-mini-instruct.jinja",
        holds=Holds(tools=False, calls=False, results=False, thinking=False, later_system=True),
        excuse=forgets_results,
        differs="the reference forgets results of tools, of which it has none",
    ),
    Shown(
        renderer="phi3",
        case="plain",
        conversation=talk(system(), user(), assistant("so"), result("rain")),
        text="<|system|>\nBe kind<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nso<|end|>\n<|user|>\nrain<|end|>\n<|assistant|>\n",
    ),
    Shown(
        renderer="phi3",
        case="prefill",
        conversation=talk(system(""), user(), assistant("I th")),
        text="<|user|>\nHi<|end|>\n<|assistant|>\nI th",
        suffix="I th",
    ),
    Answered(parser="phi3", suffix="I th", text="ink <tool_call> ", content="ink <tool_call> "),
)
