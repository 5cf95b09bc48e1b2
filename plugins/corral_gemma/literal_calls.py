"""Read and force calls in Gemma's own literals: `call:f{key:<|"|>text<|"|>,days:3}`.

The values are JSON but for their strings, which stand between quotes that are special tokens, and their bare keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats import Dialect, NamedCalls, literal, schema_rule, text_rule, type_of
from corral.formats.member_grammar import in_order

if TYPE_CHECKING:
    from corral.conversation import Json
    from corral.formats import CallSite, Rules, Steps, ToolSchemas

_NAME = re.compile(r"call:\s*(?P<name>.*)")


@dataclass(frozen=True, slots=True)
class LiteralCalls:
    """Calls whose strings stand between `quote`s."""

    quote: str
    named: NamedCalls

    def read(self, site: CallSite) -> Steps[None]:
        """Read one call."""
        return self.named.read(site)

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for a call; text stands between quotes, everything else is written as JSON."""
        required = tools.required(name)
        members = [
            (f"{literal(f'{key}:')} {self._value(rules, tools, name, key, schema)}", key in required)
            for key, schema in tools.properties(name).items()
        ]
        return f"{literal(f'call:{name}{{')} {in_order(rules, members)} {literal('}')}"

    def _value(self, rules: Rules, tools: ToolSchemas, name: str, key: str, schema: Json) -> str:
        root, path = tools.parameters(name), f"tools.{name}.parameters.properties.{key}"
        known = schema if isinstance(schema, dict) else {}
        kind = type_of(known, root)
        if not kind.is_text:
            return schema_rule(rules, schema, path, root)
        text = f"{literal(self.quote)} {text_rule(rules, known, root, path, self.quote)}"
        return f'({text} | "null")' if kind.admits_null else text


def literal_calls(quote: str, close: str) -> LiteralCalls:
    """Return calls whose strings stand between `quote`s and that end with `close`."""
    dialect = Dialect(quote=quote, bare_keys=True)
    return LiteralCalls(quote, NamedCalls(name_ends=("{",), name=_NAME, close=close, dialect=dialect))
