"""Shout: what people say is put in capitals, and what the model whispers is its thinking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral import Capabilities, ParserOffer, ParserSupport, RendererOffer, hookimpl

if TYPE_CHECKING:
    from corral import Conversation, OutputParser, Prompt

#: Only these are part of the format; another role is a client's word and must not become one.
ROLES = ("system", "user", "assistant")


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer one renderer and one parser, by the names that a Modelfile uses."""
    return Capabilities(
        api_version=1,
        renderers=(RendererOffer(name="shout", summary="ChatML in capitals"),),
        parsers=(ParserOffer(name="shout", summary="<whisper> is thinking", support=ParserSupport(thinking="optional")),),
    )


@hookimpl
def render_prompt(conversation: Conversation) -> Prompt:
    """Write ChatML. What people say goes through `user`, so nobody can forge a turn by typing `<|im_start|>`."""
    from corral.formats import PromptBuilder

    prompt = PromptBuilder()
    for message in conversation.messages:
        role = message.role if message.role in ROLES else "user"
        prompt.control(f"<|im_start|>{role}\n").user(message.content.upper()).control("<|im_end|>\n")
    return prompt.control("<|im_start|>assistant\n").build(stop=("<|im_end|>",))


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Describe the answer as two states with a tag from each to the other; corral does the reading."""
    from corral.formats import Format, On, Sink, State

    states = {
        "content": State(Sink.CONTENT, (On("<whisper>", goto="thinking"),)),
        "thinking": State(Sink.THINKING, (On("</whisper>", goto="content"),)),
    }
    return Format(states).parser(conversation.tools, prompt.suffix)
