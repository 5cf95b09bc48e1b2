"""How installed and running models are described on the native API."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from corral_api.ollama.schema import (
    ChoiceOut,
    Details,
    RunningModelOut,
    ShowAnswer,
    ShownMessage,
    TagsModel,
    TensorOut,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from corral.api import ModelDetails, ModelSummary, RunningModel
    from corral.conversation import Json

#: What a model that is kept for ever shows as its end; Ollama's lands there because 2^63 ns is all it can count.
_FOR_EVER = datetime(2318, 1, 1, tzinfo=UTC)

#: Keys of a GGUF header that are shown elsewhere.
_HIDDEN = frozenset({"general.name", "tokenizer.chat_template"})


def tags_model(summary: ModelSummary, capabilities: Sequence[str]) -> TagsModel:
    """Return an installed model."""
    return TagsModel(
        name=summary.name,
        model=summary.name,
        modified_at=summary.modified_at.astimezone(),
        size=summary.size,
        digest=summary.digest,
        details=replace(_details(summary), context_length=summary.context_length, embedding_length=summary.embedding_length),
        capabilities=list(capabilities),
    )


def running_model(running: RunningModel) -> RunningModelOut:
    """Return a loaded model."""
    spec = running.model
    details = Details("", "gguf", spec.facts.architecture, [spec.facts.architecture], spec.facts.parameter_size, spec.facts.file_type)
    return RunningModelOut(
        name=spec.name,
        model=spec.name,
        size=running.total_bytes,
        digest=spec.digest,
        details=details,
        expires_at=(running.expires_at or _FOR_EVER).astimezone(),
        size_vram=running.device_bytes,
        context_length=running.context_tokens,
    )


def shown_model(details: ModelDetails) -> ShowAnswer:
    """Return everything about an installed model."""
    spec = details.spec
    choices = {"renderer": spec.renderer, "parser": spec.parser, "runner": spec.runner}
    return ShowAnswer(
        details=_details(details.summary),
        model_info={key: value for key, value in details.metadata.items() if key not in _HIDDEN},
        modified_at=details.summary.modified_at.astimezone(),
        modelfile=details.modelfile,
        capabilities=list(details.capabilities),
        license="\n".join(details.licenses),
        parameters=parameter_lines(spec.parameters),
        template=spec.template or spec.facts.chat_template,
        system=spec.system,
        renderer=spec.renderer.name,
        parser=spec.parser.name,
        runner=spec.runner.name,
        requires=details.requires,
        messages=[ShownMessage(message.role, message.content) for message in spec.messages],
        tensors=[TensorOut(name, kind, list(shape)) for name, kind, shape in details.tensors],
        choices={
            word: ChoiceOut(choice.name, choice.origin.value, choice.reason, details.providers.get(word, ""))
            for word, choice in choices.items()
        },
    )


def _details(summary: ModelSummary) -> Details:
    families = list(summary.families) or ([summary.family] if summary.family else [])
    return Details(summary.parent, summary.format, summary.family, families, summary.parameter_size, summary.file_type)


def parameter_lines(parameters: Mapping[str, Json]) -> str:
    """Return PARAMETERs in columns, one line per value, in the order of the Modelfile."""
    return "\n".join(f"{name:<30} {text}" for name, value in parameters.items() for text in _texts(value))


def _texts(value: Json) -> Iterable[str]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, float) and not math.isfinite(value):
        return [str(value)]
    return [json.dumps(value, ensure_ascii=False)]
