"""Read calls that give the name in plain text and the arguments as a JSON object: `<function=f>{...}</function>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from corral.events import CallStatus
from corral.formats.json_calls import STATUS
from corral.formats.json_reader import read_json
from corral.formats.names import read_name
from corral.formats.scanner import TagScanner

if TYPE_CHECKING:
    from corral.formats.output import CallSite
    from corral.formats.source import Steps

#: What stands between a name and its arguments (an id, an index) is not longer than this.
MAX_BETWEEN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedJson:
    """The literals of such a format: those of one call, and the one that closes a group of calls.

    Text between `name_end` and `arguments_open`, when the latter is not empty, identifies the call and is skipped.
    """

    call_open: str
    name_end: str
    arguments_open: str = ""
    call_close: str = ""
    group_close: str = ""

    def read(self, site: CallSite) -> Steps[None]:
        """Read calls up to the end of their group; the first one's opening tag is read already."""
        has_more = yield from self._call(site)
        while has_more:
            has_more = yield from self._call(site)

    def _call(self, site: CallSite) -> Steps[bool]:
        """Read a call from its name on; return whether another one follows."""
        source = site.source
        name, _ = yield from read_name(source, [self.name_end])
        if not name or not (yield from self._reach_arguments(site)):
            return False
        call = site.open(name)
        call.note(STATUS[(yield from read_json(source, call.write))])
        yield from source.skip_space()
        if self.call_close and not (yield from source.expect(TagScanner([self.call_close]))):
            call.note(CallStatus.TRUNCATED if source.at_end else CallStatus.REPAIRED)
        call.close()
        return (yield from self._after(site)) == self.call_open

    def _reach_arguments(self, site: CallSite) -> Steps[bool]:
        if self.arguments_open:
            scanner = TagScanner([self.arguments_open])
            _, tag = yield from site.source.text_until(scanner, MAX_BETWEEN)
            site.source.take(len(tag))
        yield from site.source.skip_space()
        return (yield from site.source.peek()) == "{"

    def _after(self, site: CallSite) -> Steps[str]:
        """Read the tag that opens another call or closes the group, if one stands here."""
        tags = TagScanner([self.call_open, self.group_close])
        if (yield from site.source.follows(0, tags)) not in tags.tags:
            return ""
        yield from site.source.skip_space()
        return (yield from site.source.expect(tags))
