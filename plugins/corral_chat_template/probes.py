"""Make the small conversations by which a chat template is probed; every part of them is recognised in the output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from corral_chat_template.messages import thinking_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.conversation import Json, JsonObject

#: What the probes say; no template says it by itself, and no filter of a template changes it.
SYSTEM: Final = "qsystemq"
USER: Final = "quserq"
AGAIN: Final = "qagainq"
CONTENT: Final = "qcontentq"
REASONING: Final = "qreasoningq"
TOOLS: Final = ("qtoolq", "qotherq")
ID_START: Final = "qid"
IDS: Final = (f"{ID_START}000001", f"{ID_START}000002")
ARGUMENTS: Final[tuple[JsonObject, JsonObject]] = (
    {"qfirstq": "qoneq", "qsecondq": 71717},
    {"qfirstq": "qthreeq", "qsecondq": 81818},
)
EFFORTS: Final = ("low", "high", "max", "none")

#: Variables by which templates are told to keep the reasoning of earlier turns.
KEEP_REASONING: Final[JsonObject] = {
    "preserve_thinking": True,
    "clear_thinking": False,
    "truncate_history_thinking": False,
    "drop_thinking": False,
    "keep_reasoning": True,
}


def probes(special: Mapping[str, str]) -> dict[str, JsonObject]:
    """Return the variables of all probes, by name."""
    user: JsonObject = {"role": "user", "content": USER}
    again: JsonObject = {"role": "user", "content": AGAIN}
    answer: JsonObject = {"role": "assistant", "content": CONTENT}
    reasoned: JsonObject = {**answer, "reasoning_content": REASONING, "thinking": REASONING}
    thinking = thinking_variables(True)
    tools: list[Json] = [*declared_tools()]
    all_probes: dict[str, JsonObject] = {
        "plain": {"messages": [user]},
        "prompted": {"messages": [user], "add_generation_prompt": True},
        "thinking": {"messages": [user], "add_generation_prompt": True, **thinking},
        "no thinking": {"messages": [user], "add_generation_prompt": True, **thinking_variables(False)},
        **{effort: {"messages": [user], "add_generation_prompt": True, **thinking_variables(effort)} for effort in EFFORTS},
        "typed": {"messages": [{"role": "user", "content": [{"type": "text", "text": USER}]}]},
        "system": {"messages": [{"role": "system", "content": SYSTEM}, user]},
        "answer": {"messages": [user, answer]},
        "history": {"messages": [user, answer, again]},
        "reasoning": {"messages": [user, reasoned], **KEEP_REASONING, **thinking},
        "kept reasoning": {"messages": [user, reasoned, again], **KEEP_REASONING, **thinking},
        "tools": {"messages": [user], "tools": tools},
        **{name: {"messages": [user, turn], "tools": tools} for name, turn in _call_turns().items()},
    }
    return {name: {"add_generation_prompt": False, **special, **variables} for name, variables in all_probes.items()}


def declared_tools() -> list[JsonObject]:
    """Return the tools of the probes."""
    properties: JsonObject = {"qfirstq": {"type": "string", "description": "q"}, "qsecondq": {"type": "integer", "description": "q"}}
    schema: JsonObject = {"type": "object", "properties": properties, "required": list(properties)}
    return [{"type": "function", "function": {"name": name, "description": "qaboutq", "parameters": schema}} for name in TOOLS]


def _call_turns() -> dict[str, JsonObject]:
    objects: list[Json] = [_call(*parts) for parts in zip(IDS, TOOLS, ARGUMENTS, strict=True)]
    strings: list[Json] = [_call(*parts) for parts in zip(IDS, TOOLS, map(json.dumps, ARGUMENTS), strict=True)]
    turns: dict[str, list[Json]] = {
        "call": objects[:1],
        "calls": objects,
        "bare": [_call(IDS[0], TOOLS[0], {})],
        "string call": strings[:1],
        "string calls": strings,
        "string bare": [_call(IDS[0], TOOLS[0], "{}")],
    }
    return {name: {"role": "assistant", "content": "", "tool_calls": calls} for name, calls in turns.items()}


def _call(identity: str, name: str, arguments: Json) -> JsonObject:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}
