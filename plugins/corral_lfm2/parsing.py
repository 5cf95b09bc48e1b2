"""Say how LFM2 writes thoughts and calls; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, Format, On, PythonCalls, Sink, State, thinking_format

_CALLS = PythonCalls(close="<|tool_call_end|>")
_ON_CALL = On("<|tool_call_start|>", goto="content", call=_CALLS)
_GRAMMAR = CallGrammar(syntax=_CALLS, before="<|tool_call_start|>[", between=", ", after="]<|tool_call_end|>")

PLAIN = Format(states={"content": State(Sink.CONTENT, (_ON_CALL,))}, calls=_GRAMMAR)
THINKING = thinking_format(_ON_CALL, grammar=_GRAMMAR)
