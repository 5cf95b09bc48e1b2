"""What Muse Glimmer is shown and answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral.conversation import Message
from corral_glimmer.wording import AFTER_FUNCTIONS, BEFORE_FUNCTIONS, BEFORE_NAMESPACES

if TYPE_CHECKING:
    from corral.conversation import Conversation, JsonObject

_FIRST = "<s><|start|>system<|message|>You are a helpful AI assistant.\nKnowledge cutoff: 2026-01-04.\n\nReasoning strength: high."
_PEOPLE = '\n\n# Valid recipients: "self", "user".<|eot|>'
_HI = "<|start|>user<|message|>Hi<|eot|>"
_BLOCK = (
    '<atem:function_calls>\n<atem:invoke name="get_weather">\n<atem:parameter name="city">Ulm</atem:parameter>\n'
    "</atem:invoke>\n</atem:function_calls>"
)
_STOP_BLOCK = '<atem:function_calls>\n<atem:invoke name="stop">\n</atem:invoke>\n</atem:function_calls>'
_CALL = f" to=get_weather<|message|>{_BLOCK}"
_STOP = f" to=stop<|message|>{_STOP_BLOCK}"
_NEXT = "<|eom|><|start|>assistant"
_ULM = ("get_weather", {"city": "Ulm"}, OK)
_TOOL: JsonObject = {"type": "function", "function": {"name": "fs.read", "description": "Read", "parameters": {"type": "object"}}}


def _strength(conversation: Conversation) -> JsonObject:
    levels = {None: "high", True: "high", False: "none"}
    return {**conversation.template_arguments, "reasoning_strength": levels.get(conversation.think, conversation.think)}


def _talks_and_calls(conversation: Conversation) -> bool:
    return any(message.tool_calls and message.content for message in conversation.messages)


CASES = [
    Reference(
        renderer="glimmer",
        template="muse-glimmer.jinja",
        holds=Holds(later_system=True, content_with_calls=False, think=(None, True, False, "low")),
        variables=_strength,
        excuse=_talks_and_calls,
        differs="the reference drops text next to calls, and a server that has a clock tells it the day",
    ),
    Shown(
        renderer="glimmer",
        case="a-result",
        conversation=talk(user(), assistant("Look", call(city="Ulm"), call("stop"), thinking="hm"), result()),
        text=f"{_FIRST}{_PEOPLE}{_HI}<|start|>assistant to=self<|message|>hm{_NEXT} to=user<|message|>Look{_NEXT}{_CALL}{_NEXT}{_STOP}"
        '<|eot|><|start|>tool get_weather<|message|><tool_output name="get_weather">\nrain\n</tool_output><|eot|><|start|>assistant',
    ),
    Shown(
        renderer="glimmer",
        case="a-tool",
        conversation=talk(system("Reasoning Effort: low"), user(), tools=(_TOOL,)),
        text=f"<s><|start|>system<|message|>Reasoning Strength: low\n\n{BEFORE_NAMESPACES}"
        f'{{"name": "fs", "description": ""}}\n{BEFORE_FUNCTIONS}\n'
        f'{{"name": "fs.read", "description": "Read", "parameters": {{"type": "object"}}}}{AFTER_FUNCTIONS}\n\n'
        f'# Valid recipients: "self", "fs.*", "user".<|eot|>{_HI}<|start|>assistant',
    ),
    Shown(
        renderer="glimmer",
        case="no-thinking-on-a-day",
        conversation=replace(talk(user(), think=False), template_arguments={"current_date": "2026-02-03"}),
        text=_FIRST.replace("04.", "04.\nCurrent date: 2026-02-03.").replace("high", "none") + f"{_PEOPLE}{_HI}<|start|>assistant",
    ),
    Shown(
        renderer="glimmer",
        case="an-image-and-a-beginning",
        conversation=talk(Message(role="user", content="See", images=(b"x",)), assistant("So", thinking="hm")),
        text=f"{_FIRST}{_PEOPLE}<|start|>user<|message|><|patch|>See<|eot|><|start|>assistant to=self<|message|>hm{_NEXT}"
        " to=user<|message|>So",
        suffix=f" to=self<|message|>hm{_NEXT} to=user<|message|>So",
    ),
    Answered(parser="glimmer", text=f" to=self<|message|>hm \n{_NEXT} to=user<|message|> Sun\n", thinking="hm \n", content=" Sun\n"),
    Answered(parser="glimmer", text=f" to=self<|message|>hm{_NEXT}{_CALL}{_NEXT}{_STOP}", thinking="hm", calls=(_ULM, ("stop", {}, OK))),
    Answered(parser="glimmer", text=f" to=user<|message|>So{_NEXT}{_CALL}<|eot|>", content="So", calls=(_ULM,)),
    Answered(parser="glimmer", suffix=" to=user<|message|>", text="a to=self b", content="a to=self b"),
    Answered(parser="glimmer", text="no address", content="no address"),
    Answered(parser="glimmer", text=" to=nobody", content=" to=nobody"),
    Answered(parser="glimmer", text=_CALL.partition("lm<")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(
        parser="glimmer",
        text=_CALL.replace("Ulm", ' a & "b" \n</x>'),
        calls=(("get_weather", {"city": ' a & "b" \n</x>'}, OK),),
    ),
    RoundTrip(renderer="glimmer", parser="glimmer"),
    Forced(parser="glimmer", accepted=(_CALL, f"{_CALL}{_NEXT}{_STOP}"), refused=("Hi", _BLOCK, f" to=user<|message|>{_BLOCK}")),
    Forced(parser="glimmer", think="high", accepted=(f" to=self<|message|>hm{_NEXT}{_CALL}",), refused=(" to=self<|message|>hm",)),
]
