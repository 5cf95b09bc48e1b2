"""Made-up formats, one for each building block of corral.formats, offered as a plugin so that the laws of parsers hold for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corral.formats import Dialect, Format, Head, JsonCalls, NamedCalls, On, PythonCalls, Sink, State, XmlCalls
from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, ParserOffer, ParserSupport

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.formats import CallSyntax
    from corral.spec import ModelSpec


def thinking(tag: str, call: CallSyntax, *more: On) -> Format:
    """Return a format that may think at the start and writes calls after a tag."""
    calls = (On(tag, goto="content", call=call), *more)
    return Format(
        start="start",
        states={
            "start": State(Sink.CONTENT, (On("<think>", goto="thinking", at_start=True), *calls)),
            "thinking": State(Sink.THINKING, (On("</think>", goto="content"), *calls)),
            "content": State(Sink.CONTENT, calls),
        },
    )


_KEYS = XmlCalls(
    functions=(Head("", ""),),
    parameters=(Head("<arg_key>", "</arg_key>"),),
    value_open="<arg_value>",
    parameter_close="</arg_value>",
    function_close="",
    one_newline=False,
)
_SECTION = Format(
    states={
        "content": State(Sink.CONTENT, (On("<｜tool▁calls▁begin｜>", goto="calls"),)),
        "calls": State(
            Sink.SKIP,
            (
                On("<｜tool▁call▁begin｜>", goto="calls", call=NamedCalls(name_ends=("<｜tool▁sep｜>",), close="<｜tool▁call▁end｜>")),
                On("<｜tool▁calls▁end｜>", goto="content"),
            ),
        ),
    }
)
_HEADER = NamedCalls(name_ends=("[ARGS]", "{"), arguments_open="[ARGS]", instead=JsonCalls())
_LITERAL = NamedCalls(
    name_ends=("{",), name=re.compile("call:(?P<name>.*)"), close="<tool_call|>", dialect=Dialect(quote='<|"|>', bare_keys=True)
)

FORMATS = {
    "sample-json": thinking("<tool_call>", JsonCalls(close="</tool_call>")),
    "sample-json-list": thinking("[TOOL_CALLS]", JsonCalls()),
    "sample-bare-json": Format(
        states={"content": State(Sink.CONTENT, (On("{", at_start=True, rewind=True, call=JsonCalls(only_declared=True)),))}
    ),
    "sample-keys": thinking("<tool_call>", _KEYS),
    "sample-section": _SECTION,
    "sample-header": thinking("[TOOL_CALLS]", _HEADER),
    "sample-python": thinking("<function_calls>", PythonCalls(close="</function_calls>")),
    "sample-bare-python": Format(
        states={"content": State(Sink.CONTENT, (On("[", at_start=True, rewind=True, call=PythonCalls(only_declared=True)),))}
    ),
    "sample-literal": thinking("<|tool_call>", _LITERAL),
}


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer one parser for each sample."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True)
    return Capabilities(api_version=API_VERSION, parsers=tuple(ParserOffer(name=name, support=support) for name in FORMATS))


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return the sample's parser."""
    return FORMATS[model.parser.name].parser(conversation.tools, prompt.suffix)
