"""Infer from a Go template how its model writes thoughts and calls, as Ollama does."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corral.formats import Format, JsonCalls, On, Sink, State
from corral.spec import ParserSupport
from corral_go_template.nodes import Action, If, Node, Nodes, Range, Template, Text, With
from corral_go_template.walking import all_nodes, names, node_names, texts, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Levels of a template that asks for one.
LEVELS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The tags of a template; empty ones it does not have."""

    thinking_open: str = ""
    thinking_close: str = ""
    has_calls: bool = False
    call_open: str = ""
    call_close: str = ""
    #: The template asks how hard to think.
    has_levels: bool = False


def read_answer(template: Template) -> Answer:
    """Return the tags around thoughts and calls in a template."""
    opening, closing = next(_thinking(template), ("", ""))
    calls = next((node for node in all_nodes(template) if isinstance(node, If | With | Range) and _is_about_calls(node)), None)
    answer = Answer(thinking_open=opening, thinking_close=closing, has_levels="ThinkLevel" in names(template))
    if calls is None or "Tools" not in names(template):
        return answer
    before, after = _around_calls(calls.then)
    return replace(answer, has_calls=True, call_open=before, call_close=after)


def _thinking(template: Template) -> Iterator[tuple[str, str]]:
    """Yield the texts before and after `.Thinking` inside the loop over the messages."""
    for loop in all_nodes(template):
        if isinstance(loop, Range) and "Messages" in node_names(loop):
            for nodes in _lists(loop.then):
                yield from _around_thinking(nodes)


def _lists(nodes: Nodes) -> Iterator[Nodes]:
    yield nodes
    for node in nodes:
        if isinstance(node, If | With | Range):
            yield from _lists(node.then)
            yield from _lists(node.otherwise)


def _around_thinking(nodes: Nodes) -> Iterator[tuple[str, str]]:
    for before, node, after in zip(nodes, nodes[1:], nodes[2:], strict=False):
        if isinstance(node, Action) and "Thinking" in node_names(node) and isinstance(before, Text) and isinstance(after, Text):
            tags = before.text.strip(), after.text.strip()
            if all(tags):
                yield tags


def _is_about_calls(node: Node) -> bool:
    return "ToolCalls" in node_names(node)


def _around_calls(nodes: Nodes) -> tuple[str, str]:
    """Return the text that begins calls, up to their JSON, and the text behind their last value."""
    before = next((text.partition("{")[0].strip() for text in texts(nodes) if text.strip()), "")
    flat = [*walk(nodes)]
    values = [at for at, node in enumerate(flat) if isinstance(node, Action)]
    after = "".join(node.text for node in flat[values[-1] :] if isinstance(node, Text)) if values else ""
    return before.removesuffix("[").strip(), re.sub(r"^[\s}\],]+", "", after).strip()


def answer_format(answer: Answer) -> Format:
    """Return the format of answers with those tags."""
    calls = _calls(answer)
    thinking = (On(answer.thinking_open, "thinking", at_start=True),) if answer.thinking_open else ()
    return Format(
        {
            "content": State(Sink.CONTENT, (*thinking, *calls), trim_end=bool(calls)),
            "thinking": State(Sink.THINKING, (On(answer.thinking_close, "content"),)),
        }
    )


def _calls(answer: Answer) -> tuple[On, ...]:
    if not answer.has_calls:
        return ()
    syntax = JsonCalls(close=answer.call_close, only_declared=not answer.call_open)
    if answer.call_open:
        return (On(answer.call_open, "content", call=syntax),)
    return tuple(On(bracket, "content", call=syntax, rewind=True, at_start=True) for bracket in "{[")


def support(answer: Answer) -> ParserSupport:
    """Return what answers with those tags can hold."""
    return ParserSupport(
        tools=answer.has_calls,
        parallel_tools=answer.has_calls,
        argument_streaming=answer.has_calls,
        thinking="optional" if answer.thinking_open else "none",
        thinking_levels=LEVELS if answer.has_levels else (),
    )
