"""What Granite 3.3's renderer refuses among the template's own variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corral.conversation import Conversation, Message
from corral.errors import InvalidInput
from corral.plugins import PluginHost
from corral.testing import model_spec

if TYPE_CHECKING:
    from corral.conversation import JsonObject

HOST = PluginHost.load()


@pytest.mark.parametrize(("arguments", "path"), [({"documents": ["Ulm"]}, "documents"), ({"controls": "short"}, "controls")])
def test_variables_of_the_wrong_type_are_refused_by_name(arguments: JsonObject, path: str) -> None:
    asked = Conversation(messages=(Message(role="user", content="Hi"),), template_arguments=arguments)
    with pytest.raises(InvalidInput, match=f"chat_template_kwargs.{path}"):
        HOST.render_prompt(model_spec(renderer="granite3.3"), asked)
