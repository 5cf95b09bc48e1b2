"""Tell in a rendered turn what stands around one call, around all calls, and between two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corral.formats import CallGrammar, On, Sink, State
from corral_chat_template.probes import TOOLS

if TYPE_CHECKING:
    from corral.formats import WritesCalls
    from corral_chat_template.traits import Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The texts around calls: `before` and `after` a group of them, `open` and `close` around each, `between` two."""

    before: str = ""
    open: str = ""
    between: str = ""
    close: str = ""
    after: str = ""

    def grammar(self, syntax: WritesCalls) -> CallGrammar:
        """Return the grammar of calls in this layout."""
        return CallGrammar(syntax=syntax, open=self.open, close=self.close, between=self.between, before=self.before, after=self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFormat:
    """The tag that begins a call and how the call is read; the tags around a group of calls; how calls are forced."""

    on: On
    group_open: str = ""
    group_close: str = ""
    grammar: CallGrammar | None = None

    def actions(self) -> tuple[On, ...]:
        """Return what leads out of text into calls."""
        if not self.group_open:
            return (replace(self.on, goto="content"),)
        return (On(self.group_open, "calls"), replace(self.on, goto="calls" if self.group_close else "content"))

    def states(self) -> dict[str, State]:
        """Return the state between the calls of a group; none for formats without groups."""
        if not self.group_open:
            return {}
        closing = (On(self.group_close, "content"),) if self.group_close else ()
        return {"calls": State(Sink.SKIP, (replace(self.on, goto="calls"), *closing))}


def lay_out(calls: Calls, start: int, end: int) -> Layout:
    """Return the layout of calls, the first of which stands at `start` to `end` of a turn with one call."""
    head, body, tail = calls.one[:start], calls.one[start:end], calls.one[end:]
    if not calls.two.startswith(head + body) or TOOLS[1] not in calls.two:
        return Layout(open=head, close=tail, between="\n" if head else "; ")
    second = calls.two.rindex(TOOLS[1]) - body.index(TOOLS[0])
    gap = calls.two[len(head + body) : second]
    opening = _whole(shared_end(head, gap))
    closing = shared_start(tail, gap.removesuffix(opening))
    between = gap.removesuffix(opening).removeprefix(closing)
    return Layout(before=head.removesuffix(opening), open=opening, between=between, close=closing, after=tail.removeprefix(closing))


def _whole(text: str) -> str:
    """Cut the rest of a tag that begins further to the left."""
    closing, opening = text.find(">"), text.find("<")
    return text[closing + 1 :] if closing >= 0 and (opening < 0 or closing < opening) else text


def shared_start(one: str, other: str) -> str:
    """Return what two texts begin with alike."""
    size = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:size]


def shared_end(one: str, other: str) -> str:
    """Return what two texts end with alike."""
    return shared_start(one[::-1], other[::-1])[::-1]
