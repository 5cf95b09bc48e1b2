"""Which grammar an answer must follow, if any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.events import Constrains
from corral.formats.answer_grammar import format_grammar

if TYPE_CHECKING:
    from corral.conversation import Conversation
    from corral.events import Grammar


def constraint(conversation: Conversation, parser: object) -> Grammar | None:
    """Return the grammar that the tool choice or the format asks for; the parser's own knows its calls and thinking."""
    if isinstance(parser, Constrains):
        return parser.grammar(conversation)
    return format_grammar(conversation.format)
