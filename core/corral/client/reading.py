"""Read the native API's answers as the house's own values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast, get_args

from corral.api import ModelSummary
from corral.client.views import LoadedModel, ShownChoice, ShownModel
from corral.errors import CorralError
from corral.events import ContentDelta, Diagnostic, Finish, FinishReason, ThinkingDelta, ThinkingEnd, ToolCallEnd, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.client import schema
    from corral.conversation import Json, JsonObject
    from corral.events import Event

_NANOSECONDS = 1e-9


def summary(tag: schema.Tag) -> ModelSummary:
    """Return an installed model."""
    details = tag.details
    return ModelSummary(
        name=tag.name,
        digest=tag.digest,
        size=tag.size,
        modified_at=tag.modified_at,
        family=details.family,
        families=tuple(details.families or ()),
        parameter_size=details.parameter_size,
        file_type=details.quantization_level,
        format=details.format,
        parent=details.parent_model,
    )


def loaded(model: schema.Loaded) -> LoadedModel:
    """Return a loaded model."""
    return LoadedModel(
        name=model.name,
        digest=model.digest,
        size=model.size,
        device_bytes=model.size_vram,
        context_tokens=model.context_length,
        expires_at=model.expires_at,
    )


def shown(answer: schema.ShowAnswer) -> ShownModel:
    """Return everything about an installed model."""
    return ShownModel(
        family=answer.details.family,
        parameter_size=answer.details.parameter_size,
        quantization=answer.details.quantization_level,
        capabilities=tuple(answer.capabilities),
        choices={
            word: ShownChoice(name=choice.name, origin=choice.origin, reason=choice.reason, provider=choice.provider)
            for word, choice in answer.choices.items()
        },
        modelfile=answer.modelfile,
        parameters=answer.parameters,
        template=answer.template,
        system=answer.system,
        license=answer.license,
        requires=answer.requires,
        metadata=cast("dict[str, Json]", answer.model_info),
        tensors=tuple((tensor.name, tensor.type, tuple(tensor.shape)) for tensor in answer.tensors),
    )


@dataclass(slots=True)
class AnswerReader:
    """Turns the lines of one answer into events."""

    _calls: int = 0
    _is_thinking: bool = False
    finished: bool = field(default=False, init=False)

    def events(self, line: schema.AnswerLine) -> Iterator[Event]:
        """Yield what a line says; raise CorralError when it says that something went wrong."""
        if line.error:
            raise CorralError(line.error)
        yield from self._text(line.message.thinking, line.message.content or line.response)
        for call in line.message.tool_calls:
            yield ToolCallEnd(self._calls, call.function.name, cast("JsonObject", call.function.arguments), id=call.id)
            self._calls += 1
        if line.done:
            yield from self._end(line)

    def _text(self, thinking: str, content: str) -> Iterator[Event]:
        if thinking:
            self._is_thinking = True
            yield ThinkingDelta(thinking)
        if content:
            yield from self._stop_thinking()
            yield ContentDelta(content)

    def _stop_thinking(self) -> Iterator[Event]:
        if self._is_thinking:
            self._is_thinking = False
            yield ThinkingEnd()

    def _end(self, line: schema.AnswerLine) -> Iterator[Event]:
        yield from self._stop_thinking()
        for notice in line.corral.notices if line.corral else ():
            yield Diagnostic(notice.code, notice.message)
        self.finished = True
        yield Finish(_reason(line.done_reason), _usage(line))


def _reason(text: str) -> FinishReason:
    return cast("FinishReason", text) if text in get_args(FinishReason) else "stop"


def _usage(line: schema.AnswerLine) -> Usage:
    return Usage(
        prompt_tokens=line.prompt_eval_count,
        completion_tokens=line.eval_count,
        prompt_s=line.prompt_eval_duration * _NANOSECONDS,
        completion_s=line.eval_duration * _NANOSECONDS,
        load_s=line.load_duration * _NANOSECONDS,
        total_s=line.total_duration * _NANOSECONDS,
    )
