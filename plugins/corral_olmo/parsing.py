"""Say how Olmo 3 writes calls and thoughts; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, Format, On, PythonCalls, Sink, State, thinking_format

#: Calls stand one a line.
_CALLS = PythonCalls(close="</function_calls>")

CALLS = Format(
    states={"content": State(Sink.CONTENT, (On("<function_calls>", call=_CALLS),))},
    calls=CallGrammar(syntax=_CALLS, before="<function_calls>", after="</function_calls>"),
)
THOUGHTS = thinking_format()
