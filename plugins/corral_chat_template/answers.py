"""Read from rendered probes how an assistant's turn begins, and what stands around its parts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from corral_chat_template.probes import AGAIN, ARGUMENTS, CONTENT, REASONING, TOOLS, USER
from corral_chat_template.traits import Answer, Calls

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAG: Final = re.compile(r"<[^<>]+>|\[/?[A-Z_]+\]")

_CALL_WORDS: Final = (*TOOLS, *(str(word) for arguments in ARGUMENTS for word in (*arguments, *arguments.values())))

#: Tags of templates that cut reasoning out of content but never write any.
KNOWN_THINKING: Final = (
    ("<think>", "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
)


def read_answer(template: str, texts: Mapping[str, str], calls: Calls) -> Answer:
    """Compare rendered probes; `calls` are the turns that call tools."""
    before = _between(texts["history"], USER, CONTENT)
    header = _header(texts, before)
    opening, closing = _thinking(texts, header) or _known_thinking(template)
    header = _before(_before(header, opening), closing)
    content_open = _content_open(_after(before, header), opening, closing)
    return Answer(
        header=header,
        prompted=_after(_generation(texts, "prompted"), header),
        thinking_open=opening,
        thinking_close=closing.removesuffix(content_open) or closing,
        content_open=content_open,
        calls=_cut_calls(calls, header, closing, _turn_ends(texts)),
    )


def _generation(texts: Mapping[str, str], name: str) -> str:
    """Return what a generation prompt adds after the user's turn; some templates add it unasked."""
    plain, prompted = (texts[each].rpartition(USER)[2] for each in ("plain", name))
    return _behind(prompted, plain) or prompted


def _header(texts: Mapping[str, str], before: str) -> str:
    """Return what begins every answer of the model, be it prompted or in the history."""
    header = _whole_tags(_shared(_generation(texts, "prompted"), before))
    others = [_shared(_generation(texts, name), before) for name in ("thinking", "no thinking")]
    whole = map(_whole_tags, [*others, _shared(header, _between(texts["reasoning"], USER, REASONING))])
    return min([header, *(other for other in whole if other and header.startswith(other))], key=len)


def _thinking(texts: Mapping[str, str], header: str) -> tuple[str, str] | None:
    """Return the tags around the reasoning of a turn, as the template itself writes them."""
    prompted = _after(_generation(texts, "thinking"), header)
    closing = _between(texts["reasoning"], REASONING, CONTENT).strip()
    opening = _after(_between(texts["reasoning"], USER, REASONING), header).strip() or _opening(closing) or prompted.strip()
    return (opening, closing) if opening and closing else None


def _opening(closing: str) -> str:
    return f"<{closing.removeprefix('</')}" if closing.startswith("</") else ""


def _known_thinking(template: str) -> tuple[str, str]:
    return next((tags for tags in KNOWN_THINKING if tags[1] in template), ("", ""))


def _content_open(text: str, opening: str, closing: str) -> str:
    """Return what stands before plain text, without an empty block of reasoning."""
    for tag in (opening, closing):
        text = text.replace(tag, "")
    return text.strip()


def _cut_calls(calls: Calls, header: str, closing: str, ends: frozenset[str]) -> Calls:
    """Return the turns without header, empty reasoning, and what ends every turn."""

    def cut(text: str) -> str:
        text = text.partition(header)[2] if header else text
        _, found, rest = text.partition(closing) if closing else ("", "", "")
        text = rest if found else text
        said = max((text.rfind(word) + len(word) for word in _CALL_WORDS if word in text), default=0)
        end = next((tag.start() for tag in _TAG.finditer(text, said) if tag.group() in ends), len(text))
        return text[:end].strip()

    return replace(calls, one=cut(calls.one), two=cut(calls.two), bare=cut(calls.bare))


def _turn_ends(texts: Mapping[str, str]) -> frozenset[str]:
    """Return the tags that stand behind an assistant's text."""
    return frozenset(_TAG.findall(_between(texts["history"], CONTENT, AGAIN)) + _TAG.findall(texts["answer"].rpartition(CONTENT)[2]))


def _behind(text: str, start: str) -> str:
    return text.removeprefix(start) if text.startswith(start) else ""


def _after(text: str, tag: str) -> str:
    """Return what follows the last of a tag; all of the text without one."""
    return text.rpartition(tag)[2] if tag else text


def _before(text: str, tag: str) -> str:
    return text.partition(tag)[0] if tag else text


def _between(text: str, left: str, right: str) -> str:
    """Return what stands between the last `left` before the last `right`, and that."""
    head, found, _ = text.rpartition(right)
    return head.rpartition(left)[2] if found and left in head else ""


def _shared(prefix: str, text: str) -> str:
    """Return the longest beginning of `prefix` that occurs in `text`."""
    return next((prefix[:size] for size in range(len(prefix), 0, -1) if prefix[:size] in text), "")


def _whole_tags(text: str) -> str:
    """Cut a tag that the end of the text breaks off."""
    for opening, closing in (("<", ">"), ("[", "]")):
        at = text.rfind(opening)
        if at > text.rfind(closing):
            text = text[:at]
    return text
