"""Render a conversation with a reference template, in the environment that templates are written for."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from fetch_templates import reference_template
from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from corral_chat_template.environment import GenerationTag

if TYPE_CHECKING:
    from collections.abc import Callable

    from family import Reference

    from corral.conversation import Conversation, JsonObject

#: What `corral.testing.model_spec` says of its model.
TOKENS: JsonObject = {"bos_token": "<s>", "eos_token": "</s>"}


def reference_text(reference: Reference, conversation: Conversation) -> str | None:
    """Return the reference's prompt; None when the template refuses the conversation."""
    template = _compiled(reference.template, reference.edit)
    tools: JsonObject = {"tools": list(conversation.tools)} if conversation.tools else {}
    messages = [reference.describe(message) for message in conversation.messages]
    variables = {**TOKENS, **tools, **conversation.template_arguments, **reference.variables(conversation)}
    try:
        return template.render({**variables, "messages": messages, "add_generation_prompt": True})
    except (TemplateError, TypeError):
        return None


class _Environment(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return (isinstance(obj, list) and attr in ("append", "pop")) or super().is_safe_attribute(obj, attr, value)


@cache
def _compiled(name: str, edit: Callable[[str], str]) -> Template:
    environment = _Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", GenerationTag])
    environment.filters |= {"tojson": _tojson, "from_json": json.loads}
    environment.globals["raise_exception"] = _raise
    return environment.from_string(edit(reference_template(name)))


def _tojson(value: Any, indent: int | None = None, ensure_ascii: bool = False, separators: Any = None, sort_keys: bool = False) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)
