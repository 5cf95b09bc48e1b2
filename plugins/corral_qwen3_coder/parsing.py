"""Say how Qwen3-Coder writes its calls; `corral.formats` reads them."""

from __future__ import annotations

from dataclasses import replace

from corral.formats import CallGrammar, Format, JsonCalls, On, Sink, State, XmlCalls

#: Some answers hold a JSON object in the wrapper, as the models before Qwen3-Coder wrote it.
_CALLS = XmlCalls(instead=JsonCalls(close="</tool_call>"))
#: An answer may leave out the opening tag; then only the name of a declared tool shows that a call begins.
_UNWRAPPED = replace(_CALLS, needs_close=False)

FORMAT = Format(
    states={
        "content": State(
            Sink.CONTENT,
            (
                On("<tool_call>", call=_CALLS),
                On("<function=%s>", call=_UNWRAPPED, rewind=True, each_tool=True),
                On('<function name="%s">', call=_UNWRAPPED, rewind=True, each_tool=True),
            ),
        )
    },
    calls=CallGrammar(syntax=_CALLS, open="<tool_call>\n", close="\n</tool_call>"),
)
