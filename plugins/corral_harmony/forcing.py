"""Write the grammar of a harmony answer that must be a call, or structured output on the final channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.conversation import NamedTool
from corral.errors import InvalidInput
from corral.events import Grammar
from corral.formats import Rules, arguments_rule, format_rule, literal

if TYPE_CHECKING:
    from corral.conversation import Conversation
    from corral.formats import ToolSchemas
    from corral_harmony.names import Names

_ANALYSIS = "<|channel|>analysis<|message|>"
_FINAL = "<|channel|>final<|message|>"


def grammar(conversation: Conversation, tools: ToolSchemas, names: Names, suffix: str) -> Grammar | None:
    """Return the grammar, thinking allowed before; None for free text."""
    rules = Rules()
    choice = conversation.tool_choice
    if isinstance(choice, NamedTool) or choice == "required":
        wanted = [choice.name] if isinstance(choice, NamedTool) else list(tools.names)
        for name in wanted or [""]:
            if not tools.declares(name):
                raise InvalidInput(f"tool_choice: no tool is named '{name}' (tools: {', '.join(tools.names) or 'none'})")
        calls = " | ".join(_call(rules, tools, names, name) for name in wanted)
        return Grammar(gbnf=rules.text(f"{_thinking(rules, suffix)} ({calls})"))
    if conversation.format is None:
        return None
    opening = "" if suffix.startswith(_FINAL) else literal(_FINAL)
    return Grammar(gbnf=rules.text(f"{_thinking(rules, suffix)} {opening} {format_rule(rules, conversation.format)}".strip()))


def _call(rules: Rules, tools: ToolSchemas, names: Names, name: str) -> str:
    header = f" to={names.recipient(name)}<|channel|>commentary <|constrain|>json<|message|>"
    return f"{literal(header)} {arguments_rule(rules, tools, name)}"


def _thinking(rules: Rules, suffix: str) -> str:
    if suffix.startswith(_FINAL):
        return ""
    rest = f"{rules.until('<|end|>')} {literal('<|start|>assistant')}"
    return rest if suffix.startswith(_ANALYSIS) else f"({literal(_ANALYSIS)} {rest})?"
