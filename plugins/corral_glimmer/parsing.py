"""Say how Muse Glimmer addresses its messages and writes its calls; `corral.formats` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats import CallGrammar, Format, Head, On, Sink, State, TagScanner, XmlCalls, literal

if TYPE_CHECKING:
    from corral.formats import CallSite, Rules, Steps, ToolSchemas

_OPEN = "<atem:function_calls>"
_XML = XmlCalls(
    functions=(Head('<atem:invoke name="', '">'),),
    parameters=(Head('<atem:parameter name="', '">'),),
    parameter_close="</atem:parameter>",
    function_close="</atem:invoke>",
    open=_OPEN,
    close="</atem:function_calls>",
    one_newline=False,
)
_NEXT = "<|start|>assistant"
_TO = TagScanner(["<|message|>", "\n"])
_BLOCK = TagScanner([_OPEN])
#: Recipients are tools' names; what is longer is none.
_MAX_RECIPIENT = 256


@dataclass(frozen=True, slots=True)
class _AddressedCalls:
    """Calls in a message to the tool; the function's own tag names it again, and that name counts."""

    def read(self, site: CallSite) -> Steps[None]:
        """Read the rest of the address and the calls behind it."""
        _, tag = yield from site.source.text_until(_TO, _MAX_RECIPIENT)
        if tag != "<|message|>":
            return
        site.source.take(len(tag))
        yield from site.source.skip_space()
        if (yield from site.source.expect(_BLOCK)):
            yield from _XML.read(site)

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for a message with one call."""
        address, end = f" to={name}<|message|>{_OPEN}\n", f"\n{_XML.close}"
        return f"{literal(address)} {_XML.rule(rules, tools, name)} {literal(end)}"


_CALLS = _AddressedCalls()
_CALL = On(_OPEN, goto="over", call=_XML)
_ADDRESSES = (
    On(" to=self<|message|>", goto="thinking", at_start=True),
    On(" to=user<|message|>", goto="content", at_start=True),
    On("<|message|>", goto="content", at_start=True),
    On(" to=", goto="over", call=_CALLS, at_start=True),
)
_ENDS = tuple(On(f"{end}{more}", goto=state) for end in ("<|eom|>", "<|eot|>") for more, state in ((_NEXT, "address"), ("", "over")))

#: White space of messages is theirs: nothing but tags stands between them.
FORMAT = Format(
    start="address",
    states={
        "address": State(Sink.CONTENT, (*_ADDRESSES, _CALL, *_ENDS), trim_start=False, before_text=" to=user<|message|>"),
        "content": State(Sink.CONTENT, (_CALL, *_ENDS), trim_start=False, trim_end=False),
        "thinking": State(Sink.THINKING, (_CALL, *_ENDS), trim_start=False, trim_end=False),
        "over": State(Sink.SKIP, (On(_NEXT, goto="address"), *_ENDS)),
    },
    calls=CallGrammar(syntax=_CALLS, between=f"<|eom|>{_NEXT}"),
)
