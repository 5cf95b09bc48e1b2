"""Say how Nemotron models write thoughts and calls; `corral.formats` reads them."""

from __future__ import annotations

from dataclasses import replace

from corral.formats import CallGrammar, JsonCalls, On, XmlCalls, thinking_format

_XML = XmlCalls(instead=JsonCalls(close="</tool_call>"))
#: An answer may leave out the opening tag; then only the name of a declared tool shows that a call begins.
_UNWRAPPED = replace(_XML, needs_close=False)
_JSON = JsonCalls(close="</TOOLCALL>")

THIRD = thinking_format(
    On("<tool_call>", goto="content", call=_XML),
    On("<function=%s>", goto="content", call=_UNWRAPPED, rewind=True, each_tool=True),
    grammar=CallGrammar(syntax=_XML, open="<tool_call>\n", close="\n</tool_call>"),
)
SECOND = thinking_format(
    On("<TOOLCALL>", goto="content", call=_JSON),
    grammar=CallGrammar(syntax=_JSON, before="<TOOLCALL>[", between=", ", after="]</TOOLCALL>"),
)
