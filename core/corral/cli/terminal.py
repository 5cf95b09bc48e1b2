"""Read lines from a terminal, with history and editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import HTML
from prompt_toolkit.history import FileHistory

if TYPE_CHECKING:
    from pathlib import Path

_PLACEHOLDER = HTML("<ansibrightblack>Send a message (/? for help)</ansibrightblack>")


class Terminal:
    """The person's terminal."""

    def __init__(self, history: Path) -> None:
        history.parent.mkdir(parents=True, exist_ok=True)
        self._session: PromptSession[str] = PromptSession(history=FileHistory(str(history)), enable_open_in_editor=True)

    async def read(self, prompt: str) -> str:
        """Return the next line; raise EOFError for Ctrl-D and KeyboardInterrupt for Ctrl-C."""
        return await self._session.prompt_async(prompt, placeholder=_PLACEHOLDER if prompt == ">>> " else "")
