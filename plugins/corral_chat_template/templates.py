"""Know the templates of all models in use: render with them, and say what they can do."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from corral_chat_template.parsing import answer_format, support, support_of
from corral_chat_template.probing import probe
from corral_chat_template.renderer import choose_template, render
from corral_chat_template.response_template import RESPONSE_TEMPLATE, read_response_template
from corral_chat_template.traits import Traits

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.formats import Format
    from corral.spec import ModelFacts, ModelSpec, ParserSupport
    from corral_chat_template.sandbox import Sandbox

#: Templates whose traits are remembered; probing one takes about 20 ms.
REMEMBERED = 64


class Templates:
    """Renders and probes in one sandbox; what probing told is remembered per template."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._probed = lru_cache(maxsize=REMEMBERED)(self._probe)
        self._described = lru_cache(maxsize=REMEMBERED)(read_response_template)

    def render(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        """Return the prompt of a conversation."""
        return render(model, conversation, self._sandbox, self._traits(model.facts, conversation))

    def parser(self, model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
        """Return a parser for an answer to a prompt."""
        form = self._format(model.facts) or answer_format(self._traits(model.facts, conversation))
        return form.parser(conversation.tools, prompt.suffix)

    def support(self, facts: ModelFacts) -> ParserSupport:
        """Return what the answers of a model can hold."""
        form = self._format(facts)
        return support_of(form) if form else support(self.traits(facts))

    def traits(self, facts: ModelFacts) -> Traits:
        """Return what a model's template can do, with tools where it has a variant for them."""
        return self._of(dict(facts.chat_templates).get("tool_use", "") or facts.chat_template, facts)

    def close(self) -> None:
        """Stop the child process; the next render starts another."""
        self._sandbox.close()

    def _format(self, facts: ModelFacts) -> Format | None:
        """Return the format that a model's own response template describes; None without one that can be read."""
        return self._described(dict(facts.chat_templates).get(RESPONSE_TEMPLATE, ""))

    def _traits(self, facts: ModelFacts, conversation: Conversation) -> Traits:
        return self._of(choose_template(facts, conversation), facts)

    def _of(self, template: str, facts: ModelFacts) -> Traits:
        return self._probed(template, facts.bos_token, facts.eos_token) if template else Traits()

    def _probe(self, template: str, bos_token: str, eos_token: str) -> Traits:
        return probe(template, {"bos_token": bos_token, "eos_token": eos_token}, self._sandbox)
