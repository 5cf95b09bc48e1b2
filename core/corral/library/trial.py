"""Whether the TEMPLATE of a model in the making can be rendered at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corral.conversation import Conversation, Message
from corral.library.resolution import GO_TEMPLATE, settle
from corral.spec import ModelSpec

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral.library.plugins import Plugins
    from corral.spec import ModelFacts

_HELLO = Conversation(messages=(Message(role="user", content="hello"),))


def try_template(template: str, facts: ModelFacts, config: JsonObject, plugins: Plugins) -> None:
    """Render one short message; raise InvalidTemplate now instead of in the first chat."""
    choices = settle(config, facts.chat_template, has_go_template=True, plugins=plugins)
    if choices.renderer.name != GO_TEMPLATE:
        return
    model = ModelSpec(
        name="new",
        digest="",
        path=Path(),
        facts=facts,
        renderer=choices.renderer,
        parser=choices.parser,
        runner=choices.runner,
        template=template,
    )
    plugins.render_prompt(model, _HELLO)
