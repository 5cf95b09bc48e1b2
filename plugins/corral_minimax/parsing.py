"""Say how MiniMax-M2 writes its thinking and calls; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, Head, On, XmlCalls, thinking_format

_CALLS = XmlCalls(
    functions=(Head('<invoke name="', '">'),),
    parameters=(Head('<parameter name="', '">'),),
    function_close="</invoke>",
    open="<minimax:tool_call>",
    close="</minimax:tool_call>",
    one_newline=False,
)

FORMAT = thinking_format(
    On(_CALLS.open, goto="content", call=_CALLS),
    grammar=CallGrammar(syntax=_CALLS, before=f"{_CALLS.open}\n", after=f"\n{_CALLS.close}"),
)
