"""Read a model's answer by a table of states: what text goes where, and which tag leads to which state or call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from corral.formats.answer_grammar import AnswerGrammar
from corral.formats.call_site import CallSite
from corral.formats.output import EventWriter, Sink
from corral.formats.pieces import PieceParser
from corral.formats.scanner import TagScanner
from corral.formats.schema import ToolSchemas
from corral.formats.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corral.conversation import Conversation, JsonObject
    from corral.events import FinishReason, Grammar, ParserEvent
    from corral.formats.answer_grammar import CallGrammar
    from corral.formats.source import Steps


class CallSyntax(Protocol):
    """How a format writes calls. One value serves all answers; it keeps no state."""

    def read(self, site: CallSite) -> Steps[None]:
        """Read the calls that begin here, with all their closing tags; open none if this is no call after all."""


@dataclass(frozen=True, slots=True)
class On:
    """What a tag means in a state.

    The tag is read (or left for the call syntax, with `rewind`), then `call` reads calls, then the state is `goto`.
    A tag that turns out to begin no call is text. `at_start` watches the tag only before the region's first text.
    `each_tool` replaces `%s` in the tag by the name of every declared tool.
    """

    tag: str
    goto: str = ""
    call: CallSyntax | None = None
    rewind: bool = False
    at_start: bool = False
    each_tool: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Where text goes, which tags are watched, and whether white space next to tags is layout.

    `before_text` is what models write here before the text that is meant for people; structured output stands behind it.
    """

    sink: Sink
    on: tuple[On, ...] = ()
    trim_start: bool = True
    trim_end: bool = True
    before_text: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """How a family of models writes its answers. The answer begins in `start`, unless the prompt's suffix leads elsewhere."""

    states: Mapping[str, State]
    start: str = "content"
    #: How calls are forced; None when the format can't be forced.
    calls: CallGrammar | None = None

    def parser(self, tools: Iterable[JsonObject] = (), suffix: str = "") -> FormatParser:
        """Return a parser for one answer."""
        return FormatParser(self, ToolSchemas(tools), suffix)


class FormatParser:
    """Reads one answer of a `Format`; made by `Format.parser`."""

    def __init__(self, form: Format, tools: ToolSchemas, suffix: str = "") -> None:
        source, writer = Source(), EventWriter()
        self._format = form
        self._tools = tools
        self._states = _StateReader(form, tools, source, writer)
        self._pieces = PieceParser(source, writer, self._states.read(), suffix)

    def feed(self, piece: str) -> list[ParserEvent]:
        """Take the next piece of output and return what it completes."""
        return self._pieces.feed(piece)

    def finish(self, reason: FinishReason) -> list[ParserEvent]:
        """Take the end of the output and return all that was held back."""
        return self._pieces.finish(reason)

    def grammar(self, conversation: Conversation) -> Grammar | None:
        """Return the grammar that the conversation's tool choice and format ask for, from where the prompt ends."""
        form = self._format
        return AnswerGrammar(states=form.states, start=self._states.state, tools=self._tools, calls=form.calls).grammar(conversation)


class _StateReader:
    """Goes from state to state; `state` is the present one."""

    def __init__(self, form: Format, tools: ToolSchemas, source: Source, writer: EventWriter) -> None:
        self.state = form.states[form.start]
        self._format = form
        self._tools = tools
        self._source = source
        self._writer = writer
        self._watches: dict[tuple[int, bool], _Watch] = {}

    def read(self) -> Steps[None]:
        self._writer.enter(self.state.sink, trim_start=False, trim_end=self.state.trim_end)
        while not self._source.at_end:
            found = yield from self._text(self.state)
            if found is None:
                break
            follower = yield from self._act(*found)
            if follower is not None:
                self.state = self._format.states.get(follower, self.state)
                self._writer.enter(self.state.sink, trim_start=self.state.trim_start, trim_end=self.state.trim_end)
        self._writer.leave("eos")

    def _text(self, state: State) -> Steps[tuple[On, str] | None]:
        """Read text up to a tag that counts here; return None at the end of the answer."""
        source, writer = self._source, self._writer
        watch = self._watch(state, at_start=writer.is_blank)
        while True:
            end, tag = watch.scanner.scan(source.text, source.at, final=source.closed)
            if end > source.at:
                was_blank = writer.is_blank
                writer.text(source.take_to(end))
                if was_blank and not writer.is_blank:
                    watch = self._watch(state, at_start=False)
                    continue
            if tag:
                return watch.actions[tag], tag
            if source.at_end:
                return None
            if not source.closed:
                yield

    def _act(self, on: On, tag: str) -> Steps[str | None]:
        """Follow a tag; return the name of the next state ("" for the same one again), or None to stay in the region."""
        if on.call is None:
            self._source.take(len(tag))
            self._writer.leave("tag")
            return on.goto
        site = CallSite(self._source, self._writer, self._tools)
        self._source.start_record()
        if not on.rewind:
            self._source.take(len(tag))
        yield from on.call.read(site)
        rest = self._source.stop_record()
        if not site.is_settled:
            self._keep_as_text(rest or self._source.take(len(tag)), is_tagged=not on.rewind)
            return None
        if site.has_calls and rest.strip():
            self._writer.diagnose("skipped_text", "text after a call that belongs to nothing", rest)
        return on.goto if site.has_calls else None

    def _keep_as_text(self, text: str, *, is_tagged: bool) -> None:
        self._writer.verbatim(text)
        if is_tagged:
            code = "truncated_call" if self._source.at_end else "malformed_call"
            self._writer.diagnose(code, "a tool call that can't be read is left in the text")

    def _watch(self, state: State, *, at_start: bool) -> _Watch:
        key = (id(state), at_start)
        if key not in self._watches:
            self._watches[key] = _Watch(state, self._tools.names, at_start=at_start)
        return self._watches[key]


class _Watch:
    """The tags that count in a state, and what each means."""

    __slots__ = ("actions", "scanner")

    def __init__(self, state: State, names: tuple[str, ...], *, at_start: bool) -> None:
        self.actions: dict[str, On] = {}
        for on in state.on:
            for tag in [on.tag.replace("%s", name) for name in names] if on.each_tool else [on.tag]:
                if at_start or not on.at_start:
                    self.actions.setdefault(tag, on)
        self.scanner = TagScanner(self.actions)
