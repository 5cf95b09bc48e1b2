"""Say how Qwen3.5 writes thoughts and calls; `corral.formats` reads them."""

from __future__ import annotations

from dataclasses import replace

from corral.formats import CallGrammar, JsonCalls, On, XmlCalls, thinking_format

#: Some answers hold a JSON object in the wrapper, as earlier Qwens wrote it.
_CALLS = XmlCalls(instead=JsonCalls(close="</tool_call>"))
#: An answer may leave out the opening tag; then only the name of a declared tool shows that a call begins.
_UNWRAPPED = replace(_CALLS, needs_close=False)

FORMAT = thinking_format(
    On("<tool_call>", goto="content", call=_CALLS),
    On("<function=%s>", goto="content", call=_UNWRAPPED, rewind=True, each_tool=True),
    grammar=CallGrammar(syntax=_CALLS, open="<tool_call>\n", close="\n</tool_call>"),
)
