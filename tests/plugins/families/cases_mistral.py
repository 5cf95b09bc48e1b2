"""What Mistral's models are shown and answer."""

from __future__ import annotations

import json
from dataclasses import replace
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


def _once(source: str) -> str:
    """Show tools with the last question only, not with all that have the same words."""
    return source.replace("message == user_messages[-1]", "message is sameas user_messages[-1]")


def _small(source: str) -> str:
    """Tell a date only when there is one."""
    told = '" + (" The current date is " + today + "." if today else "") + "'
    dated = source.replace(' The current date is " + today + ".', told)
    return _once(dated.replace('strftime_now("%Y-%m-%d")', "current_date"))


def _nemo(source: str) -> str:
    """Show the instructions with the last question, also while its calls are answered."""
    return _once(source.replace("loop.last and system_message", "message is sameas user_messages[-1] and system_message"))


_ALTERNATES = Holds(alternates=True, content_with_calls=False, ids="call_000", arguments=({}, {"current_date": "2026-01-31"}))
_TOOL: JsonObject = {"type": "function", "function": {"name": "stop", "description": 'Stop "it"', "parameters": {"type": "object"}}}
_TALK = (system(), user("One"), assistant("Yes"), user("Two"), assistant("So", replace(call(city="Ulm"), id="abcDEF123"), call("stop")))
_RESULTS = (result(), Message(role="tool", content="done", tool_call_id="abcDEF123"))

CASES = [
    Reference(
        renderer="ministral",
        template="mistralai-Ministral-3-14B-Reasoning-2512.jinja",
        holds=Holds(alternates=True),
        describe=_describe,
        differs="the reference refuses roles that do not alternate",
    ),
    Reference(renderer="devstral", template="unsloth-mistral-Devstral-Small-2507.jinja", holds=Holds(later_system=True)),
    Reference(
        renderer="mistral-small",
        template="Mistral-Small-3.2-24B-Instruct-2506.jinja",
        holds=_ALTERNATES,
        edit=_small,
        differs="the reference tells today's date, drops text next to calls, repeats tools before an earlier question in the same words, "
        "and refuses roles that do not alternate and ids that have not nine characters",
    ),
    Reference(
        renderer="mistral-nemo",
        template="mistralai-Mistral-Nemo-Instruct-2407.jinja",
        holds=_ALTERNATES,
        edit=_nemo,
        differs="the reference forgets instructions while a call is answered, drops text next to calls, repeats tools before an earlier "
        "question in the same words, and refuses roles that do not alternate and ids that have not nine characters",
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
    Shown(
        renderer="devstral",
        case="a-result",
        conversation=talk(system(), user(), assistant("Look", call(city="Ulm"), call("stop"), thinking="hm"), result()),
        text=f"<s>[SYSTEM_PROMPT]Be kind[/SYSTEM_PROMPT][INST]Hi[/INST]Look{_ULM}{_STOP}</s>[TOOL_RESULTS]rain[/TOOL_RESULTS]",
    ),
    Shown(
        renderer="mistral-small",
        case="ids-and-tools",
        conversation=talk(*_TALK, *_RESULTS, tools=(_TOOL,)),
        text="<s>[SYSTEM_PROMPT]Be kind[/SYSTEM_PROMPT][INST]One[/INST]Yes</s>"
        f"[AVAILABLE_TOOLS][{json.dumps(_TOOL)}][/AVAILABLE_TOOLS][INST]Two[/INST]"
        'So[TOOL_CALLS]get_weather[CALL_ID]abcDEF123[ARGS]{"city": "Ulm"}[TOOL_CALLS]stop[CALL_ID]000000001[ARGS]{}</s>'
        "[TOOL_RESULTS]000000001[TOOL_CONTENT]rain[/TOOL_RESULTS][TOOL_RESULTS]abcDEF123[TOOL_CONTENT]done[/TOOL_RESULTS]",
    ),
    Shown(
        renderer="mistral-small",
        case="an-image-and-a-beginning",
        conversation=talk(system(), Message(role="user", content="See", images=(b"x",)), assistant("So", thinking="hm")),
        text="<s>[SYSTEM_PROMPT]Be kind[/SYSTEM_PROMPT][INST][IMG]See[/INST]So",
        suffix="So",
    ),
    Shown(
        renderer="mistral-nemo",
        case="ids-and-tools",
        conversation=talk(*_TALK, *_RESULTS, tools=(_TOOL,)),
        text='<s>[INST]One[/INST]Yes</s>[AVAILABLE_TOOLS][{"type": "function", "function": {"name": "stop", "description": "Stop "it"", '
        '"parameters": {"type": "object"}}}][/AVAILABLE_TOOLS][INST]Be kind\n\nTwo[/INST]So[TOOL_CALLS][{"name": "get_weather", '
        '"arguments": {"city": "Ulm"}, "id": "abcDEF123"}, {"name": "stop", "arguments": {}, "id": "000000001"}]</s>'
        '[TOOL_RESULTS]{"content": rain, "call_id": "000000001"}[/TOOL_RESULTS]'
        '[TOOL_RESULTS]{"content": done, "call_id": "abcDEF123"}[/TOOL_RESULTS]',
    ),
    Shown(
        renderer="mistral-nemo",
        case="a-beginning",
        conversation=talk(user(), assistant("So")),
        text="<s>[INST]Hi[/INST]So",
        suffix="So",
    ),
    Shown(
        renderer="mistral-nemo",
        case="instructions-alone",
        conversation=talk(system(), system("Be short")),
        text="<s>[INST]Be kind\n\nBe short[/INST]",
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
    RoundTrip(renderer="devstral", parser="devstral", holds=Holds(thinking=False), reserved=("[", "\\")),
    RoundTrip(renderer="mistral-small", parser="mistral-small", holds=Holds(thinking=False, tools=False), reserved=("[", "\\")),
    RoundTrip(renderer="mistral-nemo", parser="mistral-nemo", holds=Holds(thinking=False, tools=False), reserved=("[", "\\")),
    Forced(parser="ministral", accepted=(_ULM, _ULM + _STOP), refused=("Hi", _WITH_ID, _LIST)),
    Forced(parser="mistral-small", accepted=(_WITH_ID,), refused=("Hi", _ULM)),
    Forced(parser="mistral-nemo", accepted=(_LIST,), refused=("Hi", _ULM)),
]
