"""Which grammar an answer must follow, if any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.events import Constrains

if TYPE_CHECKING:
    from corral.conversation import Conversation
    from corral.events import Grammar


def constraint(conversation: Conversation, parser: object) -> Grammar | None:
    """Return the grammar that the tool choice or the format asks for; the parser's own knows its calls and thinking."""
    if isinstance(parser, Constrains):
        return parser.grammar(conversation)
    return None
