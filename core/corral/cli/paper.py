"""A model that exists on paper only, to try renderers and parsers without one."""

from __future__ import annotations

from pathlib import Path

from corral.spec import Choice, ModelFacts, ModelSpec, Origin


def paper_model(*, renderer: str = "", parser: str = "", chat_template: str = "") -> ModelSpec:
    """Return a model with the given renderer and parser, and nothing else to it."""
    return ModelSpec(
        name="paper:latest",
        digest="0" * 64,
        path=Path("paper.gguf"),
        facts=ModelFacts(architecture="", chat_template=chat_template),
        renderer=Choice(name=renderer, origin=Origin.EXPLICIT),
        parser=Choice(name=parser, origin=Origin.EXPLICIT),
        runner=Choice(name="", origin=Origin.EXPLICIT),
    )
