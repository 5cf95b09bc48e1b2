"""Say how Laguna writes its thinking and calls; `corral.formats` reads them."""

from __future__ import annotations

from dataclasses import replace

from corral.formats import CallGrammar, Format, Head, JsonCalls, On, XmlCalls, thinking_format

_CALLS = XmlCalls(
    functions=(Head("", ""),),
    parameters=(Head("<arg_key>", "</arg_key>"),),
    value_open="<arg_value>",
    parameter_close="</arg_value>",
    function_close="",
    one_newline=False,
    # Models fall back to the JSON that most others write.
    instead=JsonCalls(close="</tool_call>"),
    layout="",
)


def _format(calls: XmlCalls, between: str) -> Format:
    grammar = CallGrammar(syntax=calls, open=calls.open, close=calls.close, between=between)
    # A prompt ends the thinking before it began when there shall be none.
    return thinking_format(On(calls.open, goto="content", call=calls), On("</think>", goto="content", at_start=True), grammar=grammar)


#: Both read the same calls; the XS models were taught to write them on lines of their own.
ON_LINES = _format(replace(_CALLS, layout="\n"), "\n")
POOLSIDE = _format(_CALLS, "")
