"""Say how SmolLM3 writes thoughts and calls; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, JsonCalls, On, thinking_format

_CALLS = JsonCalls(close="</tool_call>")

FORMAT = thinking_format(
    On("<tool_call>", goto="content", call=_CALLS),
    grammar=CallGrammar(syntax=_CALLS, open="<tool_call>\n", close="\n</tool_call>"),
)
