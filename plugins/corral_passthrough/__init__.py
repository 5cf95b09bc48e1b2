"""The parser that changes nothing: whatever a model writes is content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, ParserOffer, ParserSupport

if TYPE_CHECKING:
    from corral.conversation import Prompt
    from corral.events import OutputParser


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the parser; it constrains structured output, and knows no calls and no thinking."""
    return Capabilities(
        api_version=API_VERSION, parsers=(ParserOffer(name="passthrough", support=ParserSupport(), summary="text as it is"),)
    )


@hookimpl
def parse_output(prompt: Prompt) -> OutputParser:
    """Return a parser that passes text on."""
    from corral.formats import Format, Sink, State

    return Format(states={"content": State(Sink.CONTENT, trim_start=False, trim_end=False)}).parser((), prompt.suffix)
