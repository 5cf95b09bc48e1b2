"""Say how Llama 3 writes its calls; `corral.formats` reads them."""

from __future__ import annotations

from dataclasses import replace

from corral.formats import CallGrammar, Format, JsonCalls, On, Sink, State

_CALLS = JsonCalls(argument_keys=("parameters", "arguments"))
#: Without a tag only the name of a declared tool tells a call from an answer in JSON.
_BARE = replace(_CALLS, only_declared=True)

FORMAT = Format(
    states={
        "content": State(
            Sink.CONTENT,
            (
                On("<|python_tag|>", call=_CALLS),
                On("{", call=_BARE, rewind=True, at_start=True),
                On('{"name": "%s"', call=_BARE, rewind=True, each_tool=True),
            ),
        )
    },
    calls=CallGrammar(syntax=_CALLS, between="; "),
)
