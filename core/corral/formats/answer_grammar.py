"""Write the grammar of a whole answer: calls that must be made, or structured output, after thinking where a format thinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from corral.conversation import NamedTool
from corral.errors import InvalidInput, Unsupported
from corral.events import Grammar
from corral.formats.gbnf import Rules, literal, one_of
from corral.formats.output import Sink
from corral.formats.schema_grammar import schema_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.conversation import Conversation, Format
    from corral.formats.machine import State
    from corral.formats.schema import ToolSchemas

#: White space between thinking and what follows it.
_GAP = "[ \\n]{0,2}"

#: Calls in one forced answer: a small model that may always write one more never stops.
_MOST_CALLS = 16


class WritesCalls(Protocol):
    """A call syntax that also knows how its calls are written."""

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for a call of the named tool, between the literals of a `CallGrammar`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGrammar:
    """The literals around calls as a format's models write them: `before`, then calls in `open` and `close`, then `after`."""

    syntax: WritesCalls
    open: str = ""
    close: str = ""
    between: str = "\n"
    before: str = ""
    after: str = ""

    def expression(self, rules: Rules, tools: ToolSchemas, names: Sequence[str], *, several: bool) -> str:
        """Return the expression for one or more calls of the named tools."""
        bodies = [f"{literal(self.open)} {self.syntax.rule(rules, tools, name)} {literal(self.close)}" for name in names]
        call = rules.add("call", one_of(bodies))
        more = f"({literal(self.between)} {call}){{0,{_MOST_CALLS - 1}}}" if several else ""
        return " ".join(part for part in (literal(self.before), call, more, literal(self.after)) if part not in ("", '""'))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGrammar:
    """What a grammar must know of a parser: its format's states, where it begins, and the tools of the request."""

    states: Mapping[str, State]
    start: State
    tools: ToolSchemas
    calls: CallGrammar | None

    def grammar(self, conversation: Conversation) -> Grammar | None:
        """Return the grammar that the tool choice and the format ask for; None for free text."""
        names = self._forced(conversation)
        if names:
            return self._forced_calls(conversation, names)
        if conversation.format is not None:
            return self._structured(conversation)
        return None

    def _forced(self, conversation: Conversation) -> tuple[str, ...]:
        match conversation.tool_choice:
            case NamedTool(name=name):
                if not self.tools.declares(name):
                    raise InvalidInput(f"tool_choice: no tool is named '{name}' (tools: {', '.join(self.tools.names) or 'none'})")
                return (name,)
            case "required":
                if not self.tools.names:
                    raise InvalidInput("tool_choice: a call is required and there are no tools")
                return self.tools.names
            case _:
                return ()

    def _forced_calls(self, conversation: Conversation, names: Sequence[str]) -> Grammar:
        if self.calls is None:
            raise Unsupported("this model's format can't be made to call a tool; use tool_choice auto")
        rules = Rules()
        several = conversation.parallel_tool_calls and not isinstance(conversation.tool_choice, NamedTool)
        calls = self.calls.expression(rules, self.tools, names, several=several)
        return Grammar(gbnf=rules.text(f"{self._lead(rules, conversation)} {calls}".strip()))

    def _structured(self, conversation: Conversation) -> Grammar:
        rules = Rules()
        wanted = f"{literal(self._text_state().before_text)} {format_rule(rules, conversation.format)}".removeprefix('"" ')
        if self.calls is not None and self.tools.names and conversation.tool_choice == "auto":
            calls = self.calls.expression(rules, self.tools, self.tools.names, several=conversation.parallel_tool_calls)
            wanted = one_of([wanted, calls])
        close = self._close_of(self.start)
        if close:
            return Grammar(gbnf=rules.text(f"{literal(close)} {_GAP} {wanted}"), triggers=(close,))
        return Grammar(gbnf=rules.text(f"{self._lead(rules, conversation)} {wanted}".strip()))

    def _lead(self, rules: Rules, conversation: Conversation) -> str:
        """Return the expression for the thinking that comes first: begun by the prompt, wanted by the request, or none."""
        close = self._close_of(self.start)
        if close:
            return f"{rules.until(close)} {_GAP}"
        for on in self.start.on if conversation.think else ():
            close = self._close_of(self.states[on.goto]) if on.goto and on.call is None else ""
            if close:
                return f"({literal(on.tag)} {rules.until(close)} {_GAP})?"
        return ""

    def _text_state(self) -> State:
        """Return the state after the thinking that the prompt began; the present one if it began none."""
        close = self._close_of(self.start)
        return next((self.states[on.goto] for on in self.start.on if on.tag == close), self.start)

    def _close_of(self, state: State) -> str:
        """Return the tag that ends a state of thinking; "" when the state is none."""
        if state.sink is not Sink.THINKING:
            return ""
        return next((on.tag for on in state.on if on.call is None and self.states[on.goto].sink is Sink.CONTENT), "")


def format_rule(rules: Rules, wanted: Format) -> str:
    """Return the expression for a request's `format`: any JSON object or list, or the values of a schema."""
    if wanted == "json" or wanted is None:
        return one_of([rules.json("object"), rules.json("array")])
    return schema_rule(rules, wanted)


def format_grammar(wanted: Format) -> Grammar | None:
    """Return the grammar of a whole answer that is nothing but structured output; None for free text."""
    rules = Rules()
    return None if wanted is None else Grammar(gbnf=rules.text(format_rule(rules, wanted)))
