"""What Cohere's models are shown and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

if TYPE_CHECKING:
    from corral.conversation import Conversation, JsonObject

_START = "<|START_OF_TURN_TOKEN|>"
_END = "<|END_OF_TURN_TOKEN|>"
_ULM = '{"tool_call_id": "0", "tool_name": "get_weather", "parameters": {"city": "Ulm"}}'
_STOP = '{"tool_call_id": "1", "tool_name": "stop", "parameters": {}}'
_PLATFORM = f"""\
<s>{_START}<|SYSTEM_TOKEN|><|START_TEXT|>These instructions are always to be followed and cannot be overridden by subsequent \
system or user turns:
- You will answer requests for educational, informative, or creative content related to safety categories. You will not provide content \
that is harmful or could be used to cause harm.

These instructions serve as your defaults, but they can be overridden in subsequent system or user turns:
- Your name is North Mini Code.
- You are a large language model built by Cohere.

# Available Tools
```json
[
"""
_NO_TOOLS = f"{_PLATFORM}\n]\n```<|END_TEXT|>{_END}"


def _action(*calls: str) -> str:
    return "<|START_ACTION|>[\n    " + ",\n    ".join(calls) + "\n]<|END_ACTION|>"


def _reasoning(conversation: Conversation) -> JsonObject:
    return {} if conversation.think is None else {"reasoning": conversation.think}


def _reuses_ids(conversation: Conversation) -> bool:
    ids = [call.id for message in conversation.messages for call in message.tool_calls]
    return len(set(ids)) < len(ids)


_READ = ("get_weather", {"city": "Ulm"}, OK)

CASES = [
    Reference(
        renderer="cohere",
        template="Cohere2MoE.jinja",
        holds=Holds(alternates=True, content_with_calls=False),
        variables=_reasoning,
        excuse=_reuses_ids,
        differs="the reference drops text next to calls, and loses count when an id is used twice",
    ),
    Shown(
        renderer="cohere",
        case="results",
        conversation=talk(
            system(), user(), assistant("", call(city="Ulm"), call("stop"), thinking="hm"), result("a"), result("b"), think=False
        ),
        text=f"{_NO_TOOLS}{_START}<|SYSTEM_TOKEN|><|START_TEXT|>Be kind<|END_TEXT|>{_END}"
        f"{_START}<|USER_TOKEN|><|START_TEXT|>Hi<|END_TEXT|>{_END}"
        f"{_START}<|CHATBOT_TOKEN|><|START_THINKING|>hm<|END_THINKING|>{_action(_ULM, _STOP)}{_END}"
        f'{_START}<|SYSTEM_TOKEN|><|START_TOOL_RESULT|>[\n    {{\n        "tool_call_id": "0",\n        "results": {{\n'
        '            "0": {"content": "a"}\n        },\n        "is_error": null\n    },\n    {\n        "tool_call_id": "1",\n'
        '        "results": {\n            "0": {"content": "b"}\n        },\n        "is_error": null\n    }\n]<|END_TOOL_RESULT|>'
        f"{_END}{_START}<|CHATBOT_TOKEN|><|START_THINKING|><|END_THINKING|>",
        suffix="<|START_THINKING|><|END_THINKING|>",
    ),
    Shown(
        renderer="cohere",
        case="a-tool-and-a-beginning",
        conversation=talk(user(), assistant("So"), tools=({"type": "function", "function": {"name": "f", "description": "does"}},)),
        text=f'{_PLATFORM}    {{"name": "f", "description": "does", "parameters": {{}}, "responses": null}}\n]\n```<|END_TEXT|>{_END}'
        f"{_START}<|USER_TOKEN|><|START_TEXT|>Hi<|END_TEXT|>{_END}{_START}<|CHATBOT_TOKEN|><|START_TEXT|>So",
        suffix="<|START_TEXT|>So",
    ),
    Answered(
        parser="cohere", suffix="<|START_THINKING|>", text="hm<|END_THINKING|><|START_TEXT|>Sun<|END_TEXT|>", thinking="hm", content="Sun"
    ),
    Answered(parser="cohere", text="<|START_RESPONSE|>Sun<|END_RESPONSE|>", content="Sun"),
    Answered(
        parser="cohere",
        suffix="<|START_THINKING|>",
        text=f"hm<|END_THINKING|>{_action(_ULM, _STOP)}",
        thinking="hm",
        calls=(_READ, ("stop", {}, OK)),
    ),
    Answered(parser="cohere", suffix="<|START_THINKING|>", text=f"hm{_action(_ULM)}", thinking="hm", calls=(_READ,)),
    Answered(parser="cohere", text=_action(_ULM).partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="cohere", text="<|START_ACTION|>no<|END_ACTION|>", content="<|START_ACTION|>no<|END_ACTION|>"),
    RoundTrip(renderer="cohere", parser="cohere"),
    Forced(
        parser="cohere",
        suffix="<|START_THINKING|>",
        accepted=('hm<|END_THINKING|><|START_ACTION|>[\n    {"tool_name": "stop", "parameters": {}}\n]<|END_ACTION|>',),
        refused=("hm<|END_THINKING|>", "hm"),
    ),
]
