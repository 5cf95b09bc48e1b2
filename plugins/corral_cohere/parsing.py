"""Say how Cohere's models write their thinking, text and calls; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, Format, JsonCalls, On, Sink, State

_OPEN = "<|START_ACTION|>"
_CALLS = JsonCalls(name_keys=("tool_name", "name"), close="<|END_ACTION|>")
_LIST = JsonCalls(name_keys=("tool_name",), argument_keys=("parameters",))
_CALL = On(_OPEN, goto="content", call=_CALLS)

#: Text stands between tags of its own: TEXT since Command A of 2026, RESPONSE before.
FORMAT = Format(
    states={
        "content": State(
            Sink.CONTENT,
            (
                On("<|START_THINKING|>", goto="thinking"),
                *(On(f"<|{edge}_{name}|>", goto="content") for name in ("TEXT", "RESPONSE") for edge in ("START", "END")),
                _CALL,
            ),
        ),
        "thinking": State(Sink.THINKING, (On("<|END_THINKING|>", goto="content"), _CALL)),
    },
    calls=CallGrammar(syntax=_LIST, before=f"{_OPEN}[\n    ", between=",\n    ", after=f"\n]{_CALLS.close}"),
)
