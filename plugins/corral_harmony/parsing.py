"""Read harmony messages: a header that says who speaks to whom on which channel, then text or a call's arguments.

This is code and not a table of states because a header's meaning lies in words that come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.events import CallStatus
from corral.formats import (
    STATUS,
    CallSite,
    EventWriter,
    PieceParser,
    Sink,
    Source,
    TagScanner,
    ToolSchemas,
    dump_json,
    read_json,
)
from corral_harmony.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral.conversation import Conversation, JsonObject
    from corral.events import FinishReason, Grammar, ParserEvent
    from corral.formats import CallWriter, Steps

#: A header is shorter; more text without a tag is an answer without headers.
MAX_HEADER = 256

_ENDS = ("<|end|>", "<|call|>", "<|return|>", "<|start|>")
_HEADER = TagScanner(["<|message|>", *_ENDS, "\n"])
_BODY = TagScanner(_ENDS)
#: Recipients that are no tools.
_PEOPLE = frozenset({"all", "assistant", "user", ""})
_CHANNELS = frozenset({"analysis", "commentary", "final", ""})
#: The role, and content types with and without their mark.
_KNOWN = frozenset({"assistant", "json", "code", "<|constrain|>", "<|constrain|>json", "<|constrain|>code"})


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says."""

    channel: str = ""
    #: The tool that the message goes to; empty when it goes to a person.
    recipient: str = ""
    #: Words that say nothing of this, and no known content type either.
    unknown: tuple[str, ...] = ()


def read_header(text: str) -> Header:
    """Return what a header says; its parts may come in any order, and content types say nothing that matters here."""
    before, mark, after = text.rpartition("<|channel|>")
    words = after.replace("<|", " <|").split(maxsplit=1) if mark else []
    channel = words[0] if words else ""
    before = f"{before} {words[-1] if len(words) > 1 else ''}" if mark else text
    words = before.replace("<|constrain|>", " <|constrain|>").split()
    recipients = [word.removeprefix("to=") for word in words if word.startswith("to=")]
    if not recipients and words and words[0].startswith("functions."):
        recipients = words[:1]
    recipient = next((name for name in recipients if name not in _PEOPLE), "")
    known = {*_KNOWN, recipient, *(f"to={name}" for name in {recipient, *_PEOPLE}), *(f"<|channel|>{name}" for name in _CHANNELS)}
    odd = [word for word in words if word not in known] + ([channel] if channel not in _CHANNELS else [])
    return Header(channel, recipient, tuple(odd))


class HarmonyParser:
    """Reads one answer, which begins inside the assistant's header."""

    def __init__(self, tools: Iterable[JsonObject], suffix: str = "") -> None:
        self._tools = ToolSchemas(tools)
        self._names = Names(self._tools.names)
        self._source = Source()
        self._writer = EventWriter()
        self._suffix = suffix
        self._pieces = PieceParser(self._source, self._writer, self._messages(), suffix)

    def feed(self, piece: str) -> list[ParserEvent]:
        """Take the next piece of output and return what it completes."""
        return self._pieces.feed(piece)

    def finish(self, reason: FinishReason) -> list[ParserEvent]:
        """Take the end of the output and return all that was held back."""
        return self._pieces.finish(reason)

    def grammar(self, conversation: Conversation) -> Grammar | None:
        """Return the grammar of a call that must be made, or of structured output on the final channel."""
        from corral_harmony.forcing import grammar

        return grammar(conversation, self._tools, self._names, self._suffix)

    def _messages(self) -> Steps[None]:
        while not self._source.at_end:
            self._enter(Sink.CONTENT)
            self._source.start_record()
            text, tag = yield from self._source.text_until(_HEADER, MAX_HEADER)
            yield from self._message(text, tag)
            self._source.stop_record()
        self._writer.leave("eos")

    def _message(self, text: str, tag: str) -> Steps[None]:
        if tag == "<|start|>":
            self._source.take(len(tag))
            self._writer.verbatim(text if text.strip() else "")
            return
        if tag != "<|message|>":
            yield from self._without_header(text)
            return
        self._source.take(len(tag))
        header = read_header(text)
        if header.recipient:
            yield from self._call(header.recipient)
            return
        self._source.stop_record()
        if header.unknown:
            self._writer.diagnose("unknown_header", "a message header says something that is not understood", text)
        self._enter(Sink.THINKING if header.channel == "analysis" else Sink.CONTENT)
        yield from self._text()
        self._writer.leave("eos" if self._source.at_end else "tag")

    def _without_header(self, text: str) -> Steps[None]:
        """Keep what stands where a header should be, and what follows it."""
        self._source.stop_record()
        self._writer.verbatim(text)
        if "<|channel|>" in text:
            self._writer.diagnose("incomplete_header", "a message header that is not finished is left in the text")
        yield from self._text()

    def _enter(self, sink: Sink) -> None:
        self._writer.enter(sink, trim_start=False, trim_end=False)

    def _text(self) -> Steps[None]:
        tag = yield from self._source.until(_BODY, self._writer.verbatim)
        self._source.take(0 if tag == "<|start|>" else len(tag))

    def _call(self, recipient: str) -> Steps[None]:
        site = CallSite(self._source, self._writer, self._tools)
        call = site.open(self._names.client_name(recipient))
        yield from self._source.skip_space()
        first = yield from self._source.peek()
        if first == "{":
            outcome = yield from read_json(self._source, call.write)
            call.note(STATUS[outcome])
        rest, tag = yield from self._source.text_until(_BODY)
        if first != "{":
            self._raw_arguments(call, rest.strip())
        elif rest.strip():
            call.note(CallStatus.MALFORMED)
        self._source.take(0 if tag == "<|start|>" else len(tag))
        call.close()

    def _raw_arguments(self, call: CallWriter, text: str) -> None:
        """Write arguments that are no JSON: code for a tool with one text parameter, or nothing that can be understood."""
        keys = [key for key in self._tools.properties(call.name) if self._tools.parameter_type(call.name, key).is_text]
        if not text:
            call.note(CallStatus.TRUNCATED)
        elif len(keys) == 1:
            call.write(dump_json({keys[0]: text}))
            call.note(CallStatus.REPAIRED)
        else:
            call.note(CallStatus.MALFORMED)
