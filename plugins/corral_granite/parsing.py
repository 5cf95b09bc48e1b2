"""Say how Granite writes its thinking and calls; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, Format, JsonCalls, On, Sink, State

_LIST = JsonCalls()
_CALLS = JsonCalls(close="</tool_call>")

#: Granite 3.3 may frame its answer as well as its thinking.
_LISTED = On("<|tool_call|>", goto="content", call=_LIST)
GRANITE_33 = Format(
    start="start",
    states={
        "start": State(
            Sink.CONTENT,
            (On("<think>", goto="thinking", at_start=True), On("<response>", goto="response", at_start=True), _LISTED),
        ),
        "thinking": State(Sink.THINKING, (On("</think>", goto="thought"), _LISTED)),
        "thought": State(Sink.CONTENT, (On("<response>", goto="response", at_start=True), _LISTED)),
        "response": State(Sink.CONTENT, (On("</response>", goto="content"), _LISTED)),
        "content": State(Sink.CONTENT, (_LISTED,)),
    },
    calls=CallGrammar(syntax=_LIST, before="<|tool_call|>[", between=", ", after="]"),
)
GRANITE_4 = Format(
    states={"content": State(Sink.CONTENT, (On("<tool_call>", call=_CALLS),))},
    calls=CallGrammar(syntax=_CALLS, open="<tool_call>\n", close="\n</tool_call>"),
)
