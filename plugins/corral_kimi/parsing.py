"""Say how Kimi K2 writes its thinking and calls; `corral.formats` reads them."""

from __future__ import annotations

import re

from corral.formats import CallGrammar, Format, NamedCalls, On, Sink, State

_BEGIN = "<|tool_calls_section_begin|>"
_END = "<|tool_calls_section_end|>"
_CALL = "<|tool_call_begin|>"
_CALL_END = "<|tool_call_end|>"

#: A call is headed by its id: `functions.get_weather:0`.
_CALLS = NamedCalls(
    name_ends=("<|tool_call_argument_begin|>",),
    name=re.compile(r"(?:functions\.)?(?P<name>.+?)(?::\d+)?"),
    written="functions.%s:0",
    close=_CALL_END,
)
_ANYWHERE = (On(_BEGIN, goto="calls"), On(_CALL, goto="calls", call=_CALLS))

FORMAT = Format(
    states={
        "content": State(Sink.CONTENT, (On("<think>", goto="thinking", at_start=True), *_ANYWHERE)),
        "thinking": State(Sink.THINKING, (On("</think>", goto="content"), *_ANYWHERE)),
        "calls": State(Sink.SKIP, (On(_CALL, call=_CALLS), On(_END, goto="content"))),
    },
    calls=CallGrammar(syntax=_CALLS, open=_CALL, close=_CALL_END, between="", before=_BEGIN, after=_END),
)
