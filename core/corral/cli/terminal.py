"""Read lines from a terminal, with history and editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import HTML
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from corral.cli.invocation import warn

if TYPE_CHECKING:
    from pathlib import Path

_PLACEHOLDER = HTML("<ansibrightblack>Send a message (/? for help)</ansibrightblack>")


class Terminal:
    """The person's terminal."""

    def __init__(self, history: Path) -> None:
        self._session: PromptSession[str] = PromptSession(history=_open_history(history), enable_open_in_editor=True)

    async def read(self, prompt: str) -> str:
        """Return the next line; raise EOFError for Ctrl-D and KeyboardInterrupt for Ctrl-C."""
        return await self._session.prompt_async(prompt, placeholder=_PLACEHOLDER if prompt == ">>> " else "")


def _open_history(path: Path) -> History:
    """Return the history in a file; where that can't be written, say so and keep it for this chat only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        warn(f"what you type is not kept for the next time: can't write to '{path}': {error.strerror}")
        return InMemoryHistory()
    return FileHistory(str(path))
