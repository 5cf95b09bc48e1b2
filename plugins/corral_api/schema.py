"""Which JSON all dialects share: what corral adds to their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.api import Rendered
    from corral.events import Diagnostic


class NoticeOut(Struct):
    """Something less than was asked for."""

    code: str
    message: str


class Report(Struct):
    """What corral adds to the end of an answer when there is something to say."""

    notices: list[NoticeOut]


class DebugInfo(Struct, omit_defaults=True):
    """What would have been sent to the model."""

    rendered_template: str
    image_count: int = 0


def report(notices: Sequence[Diagnostic]) -> Report | None:
    """Return notices as an answer carries them; None when there are none."""
    return Report([NoticeOut(notice.code, notice.message) for notice in notices]) if notices else None


def debug_info(rendered: Rendered) -> DebugInfo:
    """Return what would have been sent to the model."""
    return DebugInfo(rendered.prompt.text, len(rendered.prompt.media))
