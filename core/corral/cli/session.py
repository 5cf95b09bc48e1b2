"""What one chat is about: its model, messages and settings, and what `/set` does to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corral.api import Request
from corral.conversation import Conversation, Message
from corral.errors import CorralError, InvalidInput
from corral.options import from_text, read

if TYPE_CHECKING:
    from corral.conversation import Format, Json, JsonObject, Think
    from corral.formats import Answer

_THINK_WORDS: dict[str, bool | str] = {"true": True, "false": False, "low": "low", "medium": "medium", "high": "high", "max": "max"}


def read_think(text: str) -> bool | str:
    """Return what `--think` and `/set think` mean; raise InvalidInput for another word."""
    if text not in _THINK_WORDS:
        raise InvalidInput(f'invalid value for --think: "{text}" (must be true, false, high, medium, low, or max)')
    return _THINK_WORDS[text]


def read_format(text: str) -> Format:
    """Return what `--format` means: json, or a JSON Schema."""
    from corral.cli.streams import read_json

    if text == "json":
        return "json"
    schema = read_json(text, "--format")
    if not isinstance(schema, dict):
        raise InvalidInput("--format is 'json' or a JSON Schema")
    return schema


@dataclass(slots=True, kw_only=True)
class Session:
    """A chat, from one question to the next."""

    model: str
    messages: list[Message] = field(default_factory=list)
    system: str = ""
    options: JsonObject = field(default_factory=dict)
    think: Think = None
    format: Format = None
    keep_alive_s: float | None = None
    truncate: bool = True
    wrap: bool = True
    verbose: bool = False
    hide_thinking: bool = False

    def ask(self, prompt: str, images: tuple[bytes, ...] = ()) -> Request:
        """Return the request for an answer to a prompt; the chat itself is not changed."""
        head = (Message(role="system", content=self.system),) if self.system else ()
        question = Message(role="user", content=prompt, images=images)
        conversation = Conversation(
            messages=(*head, *self.messages, question), think=self.think, format=self.format, options=dict(self.options)
        )
        return Request(model=self.model, conversation=conversation, keep_alive_s=self.keep_alive_s, truncate=self.truncate)

    def remember(self, request: Request, answer: Answer) -> None:
        """Keep a question and its answer for the next turn."""
        self.messages += [request.conversation.messages[-1], answer.message()]

    def clear(self) -> str:
        """Forget what was said; the system message stays."""
        self.messages.clear()
        return "Cleared session context"

    def set(self, words: list[str]) -> str:
        """Carry out `/set ...` and return what to tell of it; raise InvalidInput when it can't be done."""
        match words:
            case ["parameter", name, *values] if values:
                return self._set_parameter(name, values)
            case ["system", *text] if text:
                self.system = " ".join(text).strip('"')
                return "Set system message."
            case ["format", "json"]:
                self.format = "json"
                return "Set format to 'json' mode."
            case ["noformat"]:
                self.format = None
                return "Disabled format."
            case ["think", *level] if len(level) < 2:
                return self._set_think(read_think(level[0]) if level else True)
            case ["nothink"]:
                return self._set_think(think=False)
            case ["wordwrap" | "nowordwrap" | "verbose" | "quiet" as mode]:
                return self._set_mode(mode)
            case _:
                raise InvalidInput("unknown setting (try: /help set)")

    def _set_parameter(self, name: str, values: list[str]) -> str:
        try:
            value: Json = [*values] if name == "stop" else from_text(name, " ".join(values))
            read(name, value)
        except CorralError as error:
            raise InvalidInput(f'Couldn\'t set parameter: "{error}"') from error
        self.options[name] = value
        return f"Set parameter '{name}' to '{' '.join(values)}'"

    def _set_think(self, think: Think) -> str:
        self.think = think
        if think is False:
            return "Set 'nothink' mode."
        return f"Set 'think' mode to '{think}'." if isinstance(think, str) else "Set 'think' mode."

    def _set_mode(self, mode: str) -> str:
        match mode:
            case "wordwrap" | "nowordwrap":
                self.wrap = mode == "wordwrap"
            case _:
                self.verbose = mode == "verbose"
        return f"Set '{mode}' mode."
