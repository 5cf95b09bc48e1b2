"""Turn a conversation into a prompt by a Go template."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from corral.errors import Unsupported
from corral.formats import PromptBuilder
from corral_go_template.executor import Executor
from corral_go_template.functions import functions
from corral_go_template.nodes import Action, Command, Field, Pipeline, Template
from corral_go_template.parser import parse
from corral_go_template.variables import chat_data, collate, infill_data, turn_data, turns
from corral_go_template.walking import cut_after, names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from corral.conversation import Conversation, Message, Prompt
    from corral.spec import ModelSpec

Runs = list[tuple[str, bool]]


def load(source: str) -> Template:
    """Parse a template; one that names neither `.Messages` nor `.Response` answers at its end."""
    template = parse(source)
    if names(template) & {"Messages", "Response"}:
        return template
    response = Action(Pipeline((Command((Field(("Response",)),)),), line=1))
    return replace(template, nodes=(*template.nodes, response))


def choose_template(model: ModelSpec, conversation: Conversation) -> str:
    """Return the request's template, or the model's."""
    source = conversation.template or model.template
    if not source:
        raise Unsupported(f"{model.name} has no TEMPLATE; give it one in its Modelfile, or choose another RENDERER")
    return source


def render(template: Template, conversation: Conversation, today: date) -> Prompt:
    """Render a conversation with a template that `load` returned."""
    mark = _unused_mark(conversation.messages)
    messages = [_place_images(message, mark) for message in conversation.messages]
    runs = execute(template, replace(conversation, messages=tuple(messages)), today)
    builder = PromptBuilder()
    media = iter([image for message in conversation.messages for image in message.images])
    for text, written in runs:
        for part in re.split(f"({re.escape(mark)})", text):
            if part == mark:
                builder.media("", next(media))
            else:
                builder.control(part) if written else builder.user(part)
    return builder.build()


def execute(template: Template, conversation: Conversation, today: date) -> Runs:
    """Run a template the way it asks for: to fill in the middle, over all messages, or once per exchange."""
    messages = conversation.messages
    executor = Executor(functions(today), len(messages))
    if conversation.suffix:
        prompt = next((message.content for message in reversed(messages) if message.role == "user"), "")
        return executor.run(template, infill_data(prompt, conversation.suffix, conversation.think))
    if "Messages" in names(template):
        return executor.run(template, chat_data(conversation, messages))
    *done, last = turns(collate(messages))
    runs = [run for turn in done for run in executor.run(template, turn_data(turn, conversation.think))]
    nodes, _ = cut_after(template.nodes, "Response")
    return [*runs, *executor.run(replace(template, nodes=nodes), turn_data(last, conversation.think))]


def _unused_mark(messages: Iterable[Message]) -> str:
    """Return a text that no message contains, to find the places of images again."""
    said = "".join(message.content for message in messages)
    return next(mark for number in range(len(said) + 1) if (mark := f"corral-{number}-media") not in said)


def _place_images(message: Message, mark: str) -> Message:
    """Put a message's images where `[img]` stands, the others before its text."""
    if not message.images:
        return message
    places = min(message.content.count("[img]"), len(message.images))
    content = message.content.replace("[img]", mark, places)
    return replace(message, content=mark * (len(message.images) - places) + content)
