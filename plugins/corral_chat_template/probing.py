"""Find out what a chat template can do by rendering probes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from corral_chat_template.answers import read_answer
from corral_chat_template.call_syntax import infer_calls
from corral_chat_template.messages import LEGACY
from corral_chat_template.probes import EFFORTS, REASONING, SYSTEM, TOOLS, USER, probes
from corral_chat_template.traits import Calls, Traits
from corral_chat_template.wire import Rendered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral_chat_template.sandbox import Sandbox

#: How arguments look in a template that prints a dict as Python does instead of as JSON.
_PYTHON_DICT: Final = "{'qfirstq'"

#: A probe says a few words; a template that makes more of them than this teaches nothing, and is slow to compare.
_MAX_TEXT: Final = 100_000


def probe(template: str, special: Mapping[str, str], sandbox: Sandbox) -> Traits:
    """Return what a template can do; `special` are the variables it gets from the tokenizer."""
    texts = _render(template, special, sandbox) or _render(template, {**special, **dict.fromkeys(LEGACY, "")}, sandbox)
    if not texts:
        return Traits()
    string_arguments = (not texts["call"] or _PYTHON_DICT in _turn(texts["call"])) and bool(texts["string call"])
    one, two, bare = (texts[f"{'string ' if string_arguments else ''}{name}"] for name in ("call", "calls", "bare"))
    answer = read_answer(template, texts, Calls(one=_turn(one), two=_turn(two), bare=_turn(bare)))
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
        answer=answer,
        calls_format=infer_calls(answer.calls),
    )


def _render(template: str, special: Mapping[str, str], sandbox: Sandbox) -> dict[str, str]:
    """Return what the template makes of each probe; nothing where it refuses one, an empty dict where it refuses all."""
    named = probes(special)
    answers = sandbox.render(template, list(named.values()))
    texts = {name: _text(answer) for name, answer in zip(named, answers, strict=True)}
    return texts if any(texts.values()) else {}


def _text(answer: object) -> str:
    text = "".join(piece for piece, _ in answer.runs) if isinstance(answer, Rendered) else ""
    return text if len(text) <= _MAX_TEXT else ""


def _turn(text: str) -> str:
    """Return what follows the user's turn."""
    return text.rpartition(USER)[2]
