"""Find out what a chat template can do, by rendering small conversations whose every part is recognised in the output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from corral_chat_template.answers import CONTENT, REASONING, USER, read_answer
from corral_chat_template.messages import LEGACY, thinking_variables
from corral_chat_template.traits import Calls, Traits
from corral_chat_template.wire import Rendered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.conversation import Json, JsonObject
    from corral_chat_template.sandbox import Sandbox

#: What the probes say; no template says it by itself, and no filter of a template changes it.
SYSTEM: Final = "qsystemq"
AGAIN: Final = "qagainq"
RESULT: Final = "qresultq"
TOOLS: Final = ("qtoolq", "qotherq")
IDS: Final = ("qid000001", "qid000002")
ARGUMENTS: Final[tuple[JsonObject, JsonObject]] = (
    {"qfirstq": "qoneq", "qsecondq": "qtwoq"},
    {"qfirstq": "qthreeq", "qsecondq": "qfourq"},
)
EFFORTS: Final = ("low", "high", "max", "none")

#: How arguments look in a template that prints a dict as Python does instead of as JSON.
_PYTHON_DICT: Final = "{'qfirstq'"

#: Variables by which templates are told to keep the reasoning of earlier turns.
KEEP_REASONING: Final[JsonObject] = {
    "preserve_thinking": True,
    "clear_thinking": False,
    "truncate_history_thinking": False,
    "drop_thinking": False,
    "keep_reasoning": True,
}


def probe(template: str, special: Mapping[str, str], sandbox: Sandbox) -> Traits:
    """Return what a template can do; `special` are the variables it gets from the tokenizer."""
    texts = _render(template, special, sandbox) or _render(template, {**special, **dict.fromkeys(LEGACY, "")}, sandbox)
    if not texts:
        return Traits()
    string_arguments = (not texts["call"] or _PYTHON_DICT in _turn(texts["call"])) and bool(texts["string call"])
    one, two, bare = (texts[f"{'string ' if string_arguments else ''}{name}"] for name in ("call", "calls", "bare"))
    return Traits(
        system=SYSTEM in texts["system"],
        tools=TOOLS[0] in texts["tools"],
        calls=TOOLS[0] in _turn(one),
        parallel_calls=all(name in _turn(two) for name in TOOLS),
        object_arguments=not string_arguments,
        string_content=USER in texts["plain"],
        typed_content=USER in texts["typed"] and "type" not in texts["typed"].replace(texts["plain"], ""),
        preserves_reasoning=REASONING in texts["kept reasoning"],
        reasoning_effort=len({texts[effort] for effort in EFFORTS}) > 1,
        thinking_switch=texts["thinking"] != texts["no thinking"],
        answer=read_answer(template, texts, Calls(one=_turn(one), two=_turn(two), bare=_turn(bare))),
    )


def _render(template: str, special: Mapping[str, str], sandbox: Sandbox) -> dict[str, str]:
    """Return what the template makes of each probe; nothing where it refuses one, an empty dict where it refuses all."""
    probes = _probes(special)
    answers = sandbox.render(template, list(probes.values()))
    texts = {name: _text(answer) for name, answer in zip(probes, answers, strict=True)}
    return texts if any(texts.values()) else {}


def _probes(special: Mapping[str, str]) -> dict[str, JsonObject]:
    """Return the variables of all probes, by name."""
    user: JsonObject = {"role": "user", "content": USER}
    again: JsonObject = {"role": "user", "content": AGAIN}
    answer: JsonObject = {"role": "assistant", "content": CONTENT}
    reasoned: JsonObject = {**answer, "reasoning_content": REASONING, "thinking": REASONING}
    thinking = thinking_variables(True)
    probes: dict[str, JsonObject] = {
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
        "tools": {"messages": [user], "tools": _tools()},
        **{name: {"messages": [user, turn], "tools": _tools()} for name, turn in _call_turns().items()},
    }
    return {name: {"add_generation_prompt": False, **special, **variables} for name, variables in probes.items()}


def _tools() -> Json:
    text: JsonObject = {"type": "string", "description": "qtextq"}
    schema: JsonObject = {"type": "object", "properties": dict.fromkeys(ARGUMENTS[0], text), "required": list(ARGUMENTS[0])}
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


def _text(answer: object) -> str:
    return "".join(piece for piece, _ in answer.runs) if isinstance(answer, Rendered) else ""


def _turn(text: str) -> str:
    """Return what follows the user's turn."""
    return text.rpartition(USER)[2]
