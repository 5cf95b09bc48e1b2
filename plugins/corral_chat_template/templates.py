"""Know the templates of all models in use: render with them, and say what they can do."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from corral_chat_template.parsing import answer_format
from corral_chat_template.probing import probe
from corral_chat_template.renderer import choose_template, render
from corral_chat_template.traits import Traits

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelFacts, ModelSpec
    from corral_chat_template.sandbox import Sandbox

#: Templates whose traits are remembered; probing one takes about 20 ms.
REMEMBERED = 64


class Templates:
    """Renders and probes in one sandbox; what probing told is remembered per template."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._probed = lru_cache(maxsize=REMEMBERED)(self._probe)

    def render(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        """Return the prompt of a conversation."""
        return render(model, conversation, self._sandbox, self._traits(model.facts, conversation))

    def parser(self, model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
        """Return a parser for an answer to a prompt."""
        traits = self._traits(model.facts, conversation)
        return answer_format(traits).parser(conversation.tools, prompt.suffix)

    def traits(self, facts: ModelFacts) -> Traits:
        """Return what a model's template can do, with tools where it has a variant for them."""
        return self._of(dict(facts.chat_templates).get("tool_use", "") or facts.chat_template, facts)

    def close(self) -> None:
        """Stop the child process; the next render starts another."""
        self._sandbox.close()

    def _traits(self, facts: ModelFacts, conversation: Conversation) -> Traits:
        return self._of(choose_template(facts, conversation), facts)

    def _of(self, template: str, facts: ModelFacts) -> Traits:
        return self._probed(template, facts.bos_token, facts.eos_token) if template else Traits()

    def _probe(self, template: str, bos_token: str, eos_token: str) -> Traits:
        return probe(template, {"bos_token": bos_token, "eos_token": eos_token}, self._sandbox)
