"""Look at turns the way chat templates do: what was thought in one, which one asks, and which one the answer goes on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Message


def split_thinking(message: Message, open_tag: str = "<think>", close_tag: str = "</think>") -> tuple[str, str]:
    """Return a turn's thinking and content; thinking that a client left in the content, in its tags, is taken out of it."""
    if message.thinking or close_tag not in message.content:
        return message.thinking, message.content
    before, _, _ = message.content.partition(close_tag)
    _, _, content = message.content.rpartition(close_tag)
    return before.rstrip("\n").rpartition(open_tag)[2].lstrip("\n"), content.lstrip("\n")


def last_query(messages: Sequence[Message], open_tag: str = "<tool_response>", close_tag: str = "</tool_response>") -> int:
    """Return the index of the last user's turn that is no tool's result in disguise; of the last message if there is none."""
    for index in range(len(messages) - 1, -1, -1):
        content = messages[index].content
        if messages[index].role == "user" and not (content.startswith(open_tag) and content.endswith(close_tag)):
            return index
    return len(messages) - 1


def split_prefill(messages: Sequence[Message]) -> tuple[Sequence[Message], Message | None]:
    """Return the turns that are over, and the assistant's last turn if the answer shall go on with it."""
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant" or last.tool_calls:
        return messages, None
    return messages[:-1], last if last.content or last.thinking else None


def begins_run(messages: Sequence[Message], index: int) -> bool:
    """Return whether the message before has another role; results in a row often share a turn."""
    return index == 0 or messages[index - 1].role != messages[index].role


def ends_run(messages: Sequence[Message], index: int) -> bool:
    """Return whether the message behind has another role."""
    return index == len(messages) - 1 or messages[index + 1].role != messages[index].role


def refuse_images(messages: Sequence[Message], family: str, *, unless_from: str = "") -> None:
    """Raise Unsupported, with the path of the message, if a client shows an image to a model that can't see it in that role's turns."""
    for index, message in enumerate(messages):
        if message.images and message.role != unless_from:
            raise Unsupported(f"messages[{index}].images: {family} can't see images")
