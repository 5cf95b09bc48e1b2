"""Write one call while it is read: its name first, its arguments piece by piece, its status and its source text last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.events import CallStatus, ToolCallEnd
from corral.formats.strict_json import load_object

if TYPE_CHECKING:
    from corral.formats.output import EventWriter
    from corral.formats.schema import ToolSchemas
    from corral.formats.source import Source

_LAYOUT = " \t\r\n,;[]"

_SEVERITY = {
    CallStatus.OK: 0,
    CallStatus.REPAIRED: 1,
    CallStatus.COERCION_FAILED: 2,
    CallStatus.UNKNOWN_TOOL: 3,
    CallStatus.TRUNCATED: 4,
    CallStatus.MALFORMED: 5,
}


class CallWriter:
    """One call on its way out: its name was sent, its arguments follow."""

    def __init__(self, site: CallSite, name: str) -> None:
        self.name = name
        self._site = site
        self._pieces: list[str] = []
        self._status = CallStatus.OK if site.tools.declares(name) else CallStatus.UNKNOWN_TOOL
        self._index = site.writer.start_call(name)

    def write(self, json: str) -> None:
        """Send a piece of the arguments' JSON text; all pieces must join to one object."""
        if json:
            self._pieces.append(json)
            self._site.writer.write_arguments(self._index, json)

    def note(self, status: CallStatus) -> None:
        """Remember how well the call could be read; the worst note counts."""
        if _SEVERITY[status] > _SEVERITY[self._status]:
            self._status = status

    def close(self) -> None:
        """End the call; its raw text is all that was read since the call before it."""
        if not self._pieces:
            self.write("{}")
        arguments = load_object("".join(self._pieces))
        if arguments is None:
            self.note(CallStatus.MALFORMED)
        raw = self._site.source.cut_record()
        self._site.writer.end_call(ToolCallEnd(self._index, self.name, arguments or {}, self._status, raw))


class CallSite:
    """The place in an answer where calls begin: lends the source to a call syntax and takes the calls it reads."""

    def __init__(self, source: Source, writer: EventWriter, tools: ToolSchemas) -> None:
        self.source = source
        self.writer = writer
        self.tools = tools
        self.has_calls = False
        self.is_settled = False

    def open(self, name: str) -> CallWriter:
        """Begin a call whose name is known; the text region before it ends here."""
        if not self.has_calls:
            self.writer.leave("tool")
            self.has_calls = True
            self.is_settled = True
        return CallWriter(self, name)

    def skip_layout(self, close: str) -> None:
        """Leave out brackets, separators and the closing tag read since the last call; report anything else."""
        text = self.source.cut_record()
        if text.removesuffix(close).strip(_LAYOUT):
            self.writer.diagnose("skipped_text", "text after a call that belongs to nothing", text)

    def drop(self, code: str, message: str) -> None:
        """Leave out what was read since the last call, and report it."""
        self.writer.diagnose(code, message, self.source.cut_record())
        self.is_settled = True
