"""Know what a chat template understands, and how the answers look that it makes a model write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral_chat_template.call_layout import CallFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How a template writes an assistant's calls: one, two side by side, and one without arguments; empty when it does not."""

    one: str = ""
    two: str = ""
    bare: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an assistant's turn looks: the control text that begins it, and the tags around its parts."""

    header: str = ""
    #: What the prompt adds after the header to make the model think, or not think, by default.
    prompted: str = ""
    thinking_open: str = ""
    thinking_close: str = ""
    #: What stands before plain text, in formats that label it.
    content_open: str = ""
    calls: Calls = field(default_factory=Calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What probing a template told; the defaults stand for a template that could not be probed."""

    system: bool = True
    tools: bool = False
    calls: bool = False
    parallel_calls: bool = False
    object_arguments: bool = True
    string_content: bool = True
    typed_content: bool = False
    preserves_reasoning: bool = False
    reasoning_effort: bool = False
    #: Whether the prompt changes when the model shall not think.
    thinking_switch: bool = False
    answer: Answer = field(default_factory=Answer)
    #: How calls are written and read; None when that could not be inferred.
    calls_format: CallFormat | None = None
