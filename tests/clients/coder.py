"""What a coder model would write, in the qwen3-coder format: asked to write or edit a file it uses the agent's tools, then says "Done."."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.runners import Generation

CONTENT = 'Hello from corral.\nIt has <tags> & "quotes".'
OLD, NEW = "Hello from nobody.", 'Hello <from> "corral".'

#: Aider has no tools; it asks for such blocks in the text.
BLOCK = """{file}
```
<<<<<<< SEARCH
{old}
=======
{new}
>>>>>>> REPLACE
```
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """What an agent calls its tools and their parameters."""

    write: str
    read: str
    edit: str
    path: str = "file_path"
    old: str = "old_string"
    new: str = "new_string"


QWEN = Toolbox(write="write_file", read="read_file", edit="edit")
CLAUDE = Toolbox(write="Write", read="Read", edit="Edit")
OPENCODE = Toolbox(write="write", read="read", edit="edit", path="filePath", old="oldString", new="newString")


def play(generation: Generation) -> Sequence[str]:
    """Answer one prompt, in pieces as a model's tokens are."""
    text = _answer(generation.prompt.text)
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def _answer(prompt: str) -> str:
    wanted = re.search(r"(Write|Edit) the file ([\w./-]+)", prompt)
    if wanted is None:
        return "Done."
    verb, file = wanted.groups()
    if "<tools>" not in prompt:
        return BLOCK.format(file=file, old=OLD, new=NEW) if "SEARCH/REPLACE" in prompt else "Done."
    steps = _steps(verb, file, _toolbox(prompt))
    done = prompt.count("<tool_response>")
    return steps[done] if done < len(steps) else "Done."


def _steps(verb: str, file: str, box: Toolbox) -> list[str]:
    """Return the calls of a task; agents refuse to edit what was not read."""
    if verb == "Write":
        return [_call(box.write, {box.path: file, "content": CONTENT})]
    return [_call(box.read, {box.path: file}), _call(box.edit, {box.path: file, box.old: OLD, box.new: NEW})]


def _toolbox(prompt: str) -> Toolbox:
    return next(box for box in (QWEN, CLAUDE, OPENCODE) if f"<name>{box.write}</name>" in prompt)


def _call(name: str, arguments: dict[str, str]) -> str:
    """Write a call as a coder model does: prose first, then each parameter on lines of its own."""
    parameters = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in arguments.items())
    return f"I'll do that.\n\n<tool_call>\n<function={name}>\n{parameters}</function>\n</tool_call>"
