"""Say how DeepSeek's models write their thinking and calls; `corral.formats` reads them."""

from __future__ import annotations

import re

from corral.formats import CallGrammar, Format, NamedCalls, On, Sink, State

_BEGIN = "<｜tool▁calls▁begin｜>"
_END = "<｜tool▁calls▁end｜>"
_CALL = "<｜tool▁call▁begin｜>"
_SEPARATOR = "<｜tool▁sep｜>"
_CALL_END = "<｜tool▁call▁end｜>"
#: A prompt of V3.1 ends the thinking before it began when there shall be none.
_STARTS = (On("<think>", goto="thinking", at_start=True), On("</think>", goto="content", at_start=True))


def _sections(syntax: NamedCalls, grammar: CallGrammar) -> Format:
    """Return a format whose calls stand in a section; models forget to open it, or to end their thinking before it."""
    calls = (On(_BEGIN, goto="calls"), On(_CALL, goto="calls", call=syntax))
    return Format(
        states={
            "content": State(Sink.CONTENT, (*_STARTS, *calls)),
            "thinking": State(Sink.THINKING, (On("</think>", goto="content"), *calls)),
            "calls": State(Sink.SKIP, (On(_CALL, call=syntax), On(_END, goto="content"))),
        },
        calls=grammar,
    )


_V3_CALLS = NamedCalls(name_ends=(_SEPARATOR,), close=_CALL_END)
#: R1 states a type before the name, and fences the arguments.
_R1_CALLS = NamedCalls(
    name_ends=("\n",),
    name=re.compile(rf"(?:\w*{_SEPARATOR})?(?P<name>.*)"),
    written=f"function{_SEPARATOR}%s\n```json",
    close=_CALL_END,
)

V3 = _sections(_V3_CALLS, CallGrammar(syntax=_V3_CALLS, open=_CALL, close=_CALL_END, between="", before=_BEGIN, after=_END))
R1 = _sections(_R1_CALLS, CallGrammar(syntax=_R1_CALLS, open=_CALL, close=f"\n```{_CALL_END}", before=_BEGIN, after=_END))
