"""Name the plugin whose parser fails in the middle of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from corral.errors import CorralError
from corral.events import Constrains
from corral.plugins.calls import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral.conversation import Conversation
    from corral.events import FinishReason, Grammar, OutputParser, ParserEvent
    from corral.plugins.candidates import Candidate

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class NamedParser:
    """A plugin's parser; what it raises and is not meant for the user becomes a PluginError that names its owner."""

    __slots__ = ("_owner", "_parser")

    def __init__(self, parser: OutputParser, owner: Candidate) -> None:
        self._parser = parser
        self._owner = owner

    def feed(self, piece: str) -> list[ParserEvent]:
        """Take the next piece of output and return what it completes."""
        # Listed here, so that a generator fails here, too.
        return self._guarded("feed", lambda given: list(self._parser.feed(given)), piece)

    def finish(self, reason: FinishReason) -> list[ParserEvent]:
        """Take the end of the output and return all that was held back."""
        return self._guarded("finish", lambda given: list(self._parser.finish(given)), reason)

    def grammar(self, conversation: Conversation) -> Grammar | None:
        """Return the parser's own grammar for an answer, or that of the format when it has none."""
        if isinstance(self._parser, Constrains):
            return self._guarded("grammar", self._parser.grammar, conversation)
        from corral.formats import format_grammar

        return format_grammar(conversation.format)

    def _guarded(self, method: str, call: Callable[[Argument], Result], argument: Argument) -> Result:
        try:
            return call(argument)
        except CorralError:
            raise
        except (Exception, SystemExit) as error:
            raise failure(self._owner, f"{method} of its parser", error) from error
