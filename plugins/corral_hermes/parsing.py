"""Say how these models write calls and thoughts; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, Format, JsonCalls, On, Sink, State, thinking_format

_CALLS = JsonCalls(close="</tool_call>")
_ON_CALL = On("<tool_call>", goto="content", call=_CALLS)
_GRAMMAR = CallGrammar(syntax=_CALLS, open="<tool_call>\n", close="\n</tool_call>")

PLAIN = Format(states={"content": State(Sink.CONTENT, (_ON_CALL,))}, calls=_GRAMMAR)
THINKING = thinking_format(_ON_CALL, grammar=_GRAMMAR)
