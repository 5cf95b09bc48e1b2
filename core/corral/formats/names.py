"""Read a name that stands before one of several literals, or look at it without reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.scanner import TagScanner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.formats.source import Source, Steps

#: Longer names are none.
MAX_NAME = 256


def read_name(source: Source, ends: Sequence[str]) -> Steps[tuple[str, str]]:
    """Read a name and the literal that ends it; ("", "") if there is none.

    A name has no line break and no "<" (an unrendered template has). An empty literal among `ends` says that the name
    stops before the next tag or line, and then white space around it does not count.
    """
    name, end = yield from source.text_until(TagScanner([*ends, "<", "\n"]), MAX_NAME)
    if end and end in ends:
        source.take(len(end))
        return name, end
    return (name.strip(), "") if end and "" in ends else ("", "")


def name_ahead(source: Source, offset: int, ends: Sequence[str]) -> Steps[str]:
    """Return the name that stands `offset` characters from here, reading nothing; "" if there is none."""
    scanner = TagScanner([*ends, "<", "\n"])
    while True:
        start = min(source.at + offset, len(source.text))
        end, tag = scanner.scan(source.text, start, final=source.closed)
        if tag or source.closed or end - start > MAX_NAME:
            return source.text[start:end].strip() if tag in ends or (tag and "" in ends) else ""
        yield
