"""Turn a conversation into a prompt by the model's own chat template."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from corral.conversation import Conversation, Json, JsonObject, Message, Prompt, Segment, SegmentKind, ToolCall
from corral.errors import InvalidTemplate, Unsupported
from corral_chat_template.messages import describe, legacy_variables, merge_system, variables
from corral_chat_template.wire import Failed, Rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from corral.spec import ModelFacts, ModelSpec
    from corral_chat_template.sandbox import Sandbox
    from corral_chat_template.traits import Answer, Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A way to say things that not all templates understand."""

    system: bool
    object_arguments: bool
    legacy: bool = False


def dialects(traits: Traits) -> Iterator[Dialect]:
    """Yield the dialects to try: first the one that suits the template, then what may work where it fails."""
    for system in (traits.system, not traits.system):
        for object_arguments in (traits.object_arguments, not traits.object_arguments):
            yield Dialect(system=system, object_arguments=object_arguments)
    yield Dialect(system=traits.system, object_arguments=traits.object_arguments, legacy=True)


def render(model: ModelSpec, conversation: Conversation, sandbox: Sandbox, traits: Traits) -> Prompt:
    """Render a conversation with the model's template; raises InvalidTemplate when the template refuses every dialect."""
    template = choose_template(model.facts, conversation)
    if not template:
        return _completion(model, conversation)
    marks = _Marks.unused_in(conversation)
    failures: list[Failed] = []
    for dialect in dialects(traits):
        found = _variables(model.facts, conversation, dialect, marks)
        old = legacy_variables(conversation, sandbox.now()) if dialect.legacy else {}
        match sandbox.render(template, [{**old, **found}]):
            case [Rendered(runs)]:
                return _prompt(runs, model.facts, conversation, marks, traits)
            case [Failed(limit=True) as failure]:
                raise _error(model, failure)
            case [Failed() as failure]:
                failures.append(failure)
    raise _error(model, failures[0])


def choose_template(facts: ModelFacts, conversation: Conversation) -> str:
    """Return the model's template; the variant named `tool_use` when there are tools and it has one."""
    named = dict(facts.chat_templates)
    if conversation.tools and "tool_use" in named:
        return named["tool_use"]
    return facts.chat_template or named.get("default", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """Texts that no message contains, to find places in the rendered text again."""

    end: str
    #: Followed by the image's number and another dash, so that a message that is dropped or repeated takes its images along.
    media: str

    @classmethod
    def unused_in(cls, conversation: Conversation) -> _Marks:
        said = "".join(text for message in conversation.messages for text in (message.content, message.thinking))
        number = next(number for number in range(len(said) + 1) if f"corral-{number}-" not in said)
        return cls(end=f"corral-{number}-end", media=f"corral-{number}-media-")


def _variables(facts: ModelFacts, conversation: Conversation, dialect: Dialect, marks: _Marks) -> JsonObject:
    numbers = count()
    messages = [_describe(message, dialect, marks, numbers) for message in conversation.messages]
    if not dialect.system:
        messages = merge_system(messages)
    prefilled = is_prefilled(conversation)
    if prefilled:
        messages[-1] = _tag_end(messages[-1], marks)
    return variables(conversation, facts, messages, generation_prompt=not prefilled)


def _describe(message: Message, dialect: Dialect, marks: _Marks, numbers: Iterator[int]) -> JsonObject:
    described = describe(message, _object if dialect.object_arguments else _string)
    places = "".join(f"{marks.media}{next(numbers)}-" for _ in message.images)
    return described | {"content": places + message.content} if places else described


def _object(call: ToolCall) -> Json:
    return call.arguments


def _string(call: ToolCall) -> Json:
    return json.dumps(call.arguments, ensure_ascii=False)


def is_prefilled(conversation: Conversation) -> bool:
    """Return whether the last message is the beginning of the answer."""
    last = conversation.messages[-1] if conversation.messages else None
    return last is not None and last.role == "assistant" and not last.tool_calls and bool(last.content or last.thinking)


def _tag_end(message: JsonObject, marks: _Marks) -> JsonObject:
    if message["content"]:
        return message | {"content": f"{message['content']}{marks.end} "}
    tagged: JsonObject = {name: f"{message[name]}{marks.end} " for name in ("reasoning_content", "thinking")}
    return message | tagged


def _prompt(runs: Sequence[tuple[str, bool]], facts: ModelFacts, conversation: Conversation, marks: _Marks, traits: Traits) -> Prompt:
    if is_prefilled(conversation):
        runs = list(_until_end(runs, marks))
    media = [image for message in conversation.messages for image in message.images]
    segments = tuple(_segments(_without_bos(runs, facts), marks, media))
    return Prompt(segments=segments, suffix=_suffix(runs, traits.answer, is_prefilled=is_prefilled(conversation)))


def _suffix(runs: Sequence[tuple[str, bool]], answer: Answer, *, is_prefilled: bool) -> str:
    """Return what follows the answer's header: the one that ends the prompt, or the one before a started answer."""
    after = ""
    for piece, written in reversed(runs):
        if written and answer.header and answer.header in piece:
            return piece.rpartition(answer.header)[2] + after
        if not is_prefilled:
            return ""
        after = piece + after
    return ""


def _until_end(runs: Iterable[tuple[str, bool]], marks: _Marks) -> Iterator[tuple[str, bool]]:
    """Cut at the end mark; a template that trims the last message gets the text before it trimmed as well."""
    runs = list(runs)
    text = "".join(piece for piece, _ in runs)
    at = text.rfind(marks.end)
    if at < 0:
        raise Unsupported("the model's chat template can't continue a started answer; leave out the last assistant message")
    kept = text[:at] if text.startswith(f"{marks.end} ", at) else text[:at].rstrip()
    left = len(kept)
    for piece, written in runs:
        yield piece[: max(left, 0)], written
        left -= len(piece)


def _without_bos(runs: Iterable[tuple[str, bool]], facts: ModelFacts) -> Iterator[tuple[str, bool]]:
    """Drop the template's BOS where the tokenizer adds one by itself; two of them harm the answer."""
    runs = iter(runs)
    for piece, written in runs:
        drop = written and facts.adds_bos and facts.bos_token
        yield (piece.removeprefix(facts.bos_token) if drop else piece), written
        break
    yield from runs


def _segments(runs: Iterable[tuple[str, bool]], marks: _Marks, media: Sequence[bytes]) -> Iterator[Segment]:
    place = re.compile(f"{re.escape(marks.media)}([0-9]+)-")
    for piece, written in runs:
        kind = SegmentKind.CONTROL if written else SegmentKind.USER
        for at, part in enumerate(place.split(piece)):
            if at % 2:
                yield Segment("", SegmentKind.MEDIA, media[int(part)])
            elif part:
                yield Segment(part, kind)


def _completion(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Return the bare text of a single user message: a model without template continues text, it does not chat."""
    match conversation.messages:
        case (Message(role="user", content=content, images=()),) if not conversation.tools:
            return Prompt(segments=(Segment(content, SegmentKind.USER),))
        case _:
            raise Unsupported(f"{model.name} has no chat template; name a RENDERER or a TEMPLATE in its Modelfile to chat with it")


def _error(model: ModelSpec, failure: Failed) -> InvalidTemplate:
    where = f"line {failure.line}" if failure.line else "unknown line"
    return InvalidTemplate(f"chat template of {model.name}, {where}: {failure.message}")
