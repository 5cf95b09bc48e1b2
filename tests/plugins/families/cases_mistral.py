"""What Mistral's models are shown and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, describe, result, system, talk, user

from corral.conversation import Message

if TYPE_CHECKING:
    from corral.conversation import Json, JsonObject

_ULM = '[TOOL_CALLS]get_weather[ARGS]{"city": "Ulm"}'
_STOP = "[TOOL_CALLS]stop[ARGS]{}"
_WITH_ID = '[TOOL_CALLS]get_weather[CALL_ID]abcDEF123[ARGS]{"city": "Ulm"}'
_LIST = '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Ulm"}}, {"name": "stop", "arguments": {}}]'
_READ = ("get_weather", {"city": "Ulm"}, OK)


def _describe(message: Message) -> JsonObject:
    """Show thinking as the reference wants it: as a chunk of the content."""
    if not message.thinking:
        return describe(message)
    text: list[Json] = [{"type": "text", "text": message.content}] if message.content else []
    return {**describe(message), "content": [{"type": "thinking", "thinking": message.thinking}, *text]}


CASES = [
    Reference(
        renderer="ministral",
        template="mistralai-Ministral-3-14B-Reasoning-2512.jinja",
        holds=Holds(alternates=True),
        describe=_describe,
        differs="the reference refuses roles that do not alternate",
    ),
    Shown(
        renderer="ministral",
        case="a-result",
        conversation=talk(system(), user(), assistant("Look", call(city="Ulm"), call("stop"), thinking="hm"), result()),
        text=f"<s>[SYSTEM_PROMPT]Be kind[/SYSTEM_PROMPT][INST]Hi[/INST][THINK]hm[/THINK]Look{_ULM}{_STOP}</s>"
        "[TOOL_RESULTS]rain[/TOOL_RESULTS]",
    ),
    Shown(
        renderer="ministral",
        case="a-beginning",
        conversation=talk(system(), user(), assistant("So", thinking="hm")),
        text="<s>[SYSTEM_PROMPT]Be kind[/SYSTEM_PROMPT][INST]Hi[/INST][THINK]hm[/THINK]So",
        suffix="[THINK]hm[/THINK]So",
    ),
    Shown(
        renderer="ministral",
        case="an-image",
        conversation=talk(system(), Message(role="user", content="See", images=(b"x",))),
        text="<s>[SYSTEM_PROMPT]Be kind[/SYSTEM_PROMPT][INST][IMG]See[/INST]",
    ),
    Answered(parser="ministral", text="[THINK]hm[/THINK]Sun", thinking="hm", content="Sun"),
    Answered(parser="ministral", text=f"[THINK]hm[/THINK]So{_ULM}{_STOP}", thinking="hm", content="So", calls=(_READ, ("stop", {}, OK))),
    Answered(parser="ministral", text=f"[THINK]hm{_ULM}", thinking="hm", calls=(_READ,)),
    Answered(parser="ministral", text=_ULM.partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="devstral", text=f"[THINK]{_ULM}", content="[THINK]", calls=(_READ,)),
    Answered(parser="devstral", text="Write [TOOL_CALLS] here", content="Write [TOOL_CALLS] here"),
    Answered(parser="mistral-small", text=f"So {_WITH_ID}{_WITH_ID}", content="So", calls=(_READ, _READ)),
    Answered(parser="mistral-nemo", text=_LIST, calls=(_READ, ("stop", {}, OK))),
    Answered(parser="mistral-nemo", text=_LIST.partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    RoundTrip(renderer="ministral", parser="ministral", reserved=("[", "\\")),
    Forced(parser="ministral", accepted=(_ULM, _ULM + _STOP), refused=("Hi", _WITH_ID, _LIST)),
    Forced(parser="mistral-small", accepted=(_WITH_ID,), refused=("Hi", _ULM)),
    Forced(parser="mistral-nemo", accepted=(_LIST,), refused=("Hi", _ULM)),
]
