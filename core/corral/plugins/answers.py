"""Name the plugin whose parser or source fails after its hook has returned."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from corral.errors import CorralError
from corral.events import Constrains
from corral.fetching import Cancelled
from corral.plugins.calls import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from corral.conversation import Conversation
    from corral.events import FinishReason, Grammar, OutputParser, ParserEvent
    from corral.fetching import ModelSource, Part, Resolved
    from corral.plugins.candidates import Candidate

Result = TypeVar("Result")

#: A piece of an answer takes microseconds.
_SLOW_S = 0.5

_log = logging.getLogger(__name__)


class NamedParser:
    """A plugin's parser; what it raises and is not meant for the user becomes a PluginError that names its owner."""

    __slots__ = ("_owner", "_parser")

    def __init__(self, parser: OutputParser, owner: Candidate) -> None:
        self._parser = parser
        self._owner = owner

    def feed(self, piece: str) -> list[ParserEvent]:
        """Take the next piece of output and return what it completes."""
        # Listed here, so that a generator fails here, too.
        return _watched(self._owner, "feed of its parser", lambda: list(self._parser.feed(piece)))

    def finish(self, reason: FinishReason) -> list[ParserEvent]:
        """Take the end of the output and return all that was held back."""
        return _watched(self._owner, "finish of its parser", lambda: list(self._parser.finish(reason)))

    def grammar(self, conversation: Conversation) -> Grammar | None:
        """Return the parser's own grammar for an answer, or that of the format when it has none."""
        parser = self._parser
        if isinstance(parser, Constrains):
            return _watched(self._owner, "grammar of its parser", lambda: parser.grammar(conversation))
        from corral.formats import format_grammar

        return format_grammar(conversation.format)


class NamedSource:
    """A plugin's source; what it raises and is not meant for the user becomes a PluginError that names its owner."""

    __slots__ = ("_owner", "_source")

    def __init__(self, source: ModelSource, owner: Candidate) -> None:
        self._source = source
        self._owner = owner

    def resolve(self) -> Resolved:
        """Find out what the reference stands for."""
        return _named(self._owner, "resolve of its source", self._source.resolve)

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        """Write a part to `target`, calling `report(completed, total)` as bytes arrive."""
        _named(self._owner, "fetch of its source", lambda: self._source.fetch(part, target, report))

    def close(self) -> Iterable[str]:
        """Clean up and return warnings worth showing."""
        return _named(self._owner, "close of its source", lambda: list(self._source.close()))


def _watched(owner: Candidate, where: str, call: Callable[[], Result]) -> Result:
    """Call what runs on the event loop, and tell who held it up."""
    started = perf_counter()
    try:
        return _named(owner, where, call)
    finally:
        seconds = perf_counter() - started
        if seconds >= _SLOW_S:
            _log.warning("%s: %s took %.1f s; every other answer had to wait", owner.title, where, seconds)


def _named(owner: Candidate, where: str, call: Callable[[], Result]) -> Result:
    try:
        return call()
    except (CorralError, Cancelled):
        raise
    except (Exception, SystemExit) as error:
        raise failure(owner, where, error) from error
