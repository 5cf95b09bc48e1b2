"""Say how Seed-OSS writes its thinking and calls; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, On, XmlCalls, thinking_format

_CALLS = XmlCalls(open="<seed:tool_call>", close="</seed:tool_call>", one_newline=False)

FORMAT = thinking_format(
    On(_CALLS.open, goto="content", call=_CALLS),
    grammar=CallGrammar(syntax=_CALLS, open=f"{_CALLS.open}\n", close=f"\n{_CALLS.close}"),
    open_tag="<seed:think>",
    close_tag="</seed:think>",
)
