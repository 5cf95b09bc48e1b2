"""Say how Mistral's models write their thinking and calls; `corral.formats` reads them.

All parsers read both generations of calls (a list of JSON objects, and a name with its arguments); what they force differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats import CallGrammar, Format, JsonCalls, NamedCalls, On, Sink, State, arguments_rule, literal, thinking_format

if TYPE_CHECKING:
    from corral.formats import Rules, ToolSchemas

_TAG = "[TOOL_CALLS]"
_LIST = JsonCalls()
_CALLS = NamedCalls(name_ends=("[ARGS]", "[CALL_ID]", "{"), arguments_open="[ARGS]", instead=_LIST)
_ON = On(_TAG, goto="content", call=_CALLS)


@dataclass(frozen=True, slots=True)
class _CallsWithIds:
    """Calls with an id between the name and the arguments, which the model makes up."""

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for one call."""
        return f"{literal(f'{name}[CALL_ID]')} [a-zA-Z0-9]{{9}} {literal('[ARGS]')} {arguments_rule(rules, tools, name)}"


def _format(grammar: CallGrammar) -> Format:
    return Format(states={"content": State(Sink.CONTENT, (_ON,))}, calls=grammar)


_NAMED = CallGrammar(syntax=_CALLS, open=_TAG, between="")

FORMATS = {
    "ministral": thinking_format(_ON, grammar=_NAMED, open_tag="[THINK]", close_tag="[/THINK]"),
    "devstral": _format(_NAMED),
    "mistral-small": _format(CallGrammar(syntax=_CallsWithIds(), open=_TAG, between="")),
    "mistral-nemo": _format(CallGrammar(syntax=_LIST, before=f"{_TAG}[", between=", ", after="]")),
}
