"""Write runs of calls and of results the way R1 and its relatives were shown them: each run in a section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import begins_run, dump_json, ends_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Message, ToolCall
    from corral.formats import PromptBuilder

EOS = "<｜end▁of▁sentence｜>"


def write_calls(prompt: PromptBuilder, calls: Sequence[ToolCall]) -> None:
    """Write a turn's calls, if it has any: a type, the name and fenced arguments."""
    if not calls:
        return
    prompt.control("<｜tool▁calls▁begin｜>")
    for index, call in enumerate(calls):
        prompt.control("\n" if index else "").control("<｜tool▁call▁begin｜>function<｜tool▁sep｜>").user(call.name)
        prompt.control("\n```json\n").user(dump_json(call.arguments)).control("\n```<｜tool▁call▁end｜>")
    prompt.control("<｜tool▁calls▁end｜>")


def write_result(prompt: PromptBuilder, turns: Sequence[Message], index: int) -> None:
    """Write the result at the index; the first and the last one of a run open and close their section."""
    prompt.control("<｜tool▁outputs▁begin｜>" if begins_run(turns, index) else "\n")
    prompt.control("<｜tool▁output▁begin｜>").user(turns[index].content).control("<｜tool▁output▁end｜>")
    prompt.control("<｜tool▁outputs▁end｜>" if ends_run(turns, index) else "")


def write_beginning(prompt: PromptBuilder, beginning: Message) -> None:
    """Write the beginning of an answer that the model shall go on with."""
    if beginning.thinking:
        prompt.control("<think>\n").user(beginning.thinking).control("\n</think>\n\n")
    prompt.user(beginning.content)
