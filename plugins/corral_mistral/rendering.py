"""Render a conversation as Ministral 3's reference template does, without its demand that roles alternate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill

if TYPE_CHECKING:
    from corral.conversation import Conversation, Message, Prompt

_EOS = "</s>"
STOP = (_EOS,)

_HOW_TO_THINK = (
    "# HOW YOU SHOULD THINK AND ANSWER\n\nFirst draft your thinking process (inner monologue) until you arrive at a response. Format your "
    "response using Markdown, and use LaTeX for any mathematical equations. Write both your thoughts and the response in the same language "
    "as the input.\n\nYour thinking process must follow the template below:[THINK]Your thoughts or/and draft, like working through an "
    "exercise on scratch paper. Be as casual and as long as you want until you are confident to generate the response to the user."
    "[/THINK]Here, provide a self-contained response."
)


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Ministral, but in users' turns,", unless_from="user")
    turns, prefill = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    if turns and turns[0].role == "system":
        _turn(prompt, turns[0])
        turns = turns[1:]
    else:
        prompt.control(f"[SYSTEM_PROMPT]{_HOW_TO_THINK}[/SYSTEM_PROMPT]")
    if conversation.tools:
        prompt.control("[AVAILABLE_TOOLS]").user(dump_json(list(conversation.tools))).control("[/AVAILABLE_TOOLS]")
    for message in turns:
        _turn(prompt, message)
    prompt.begin_answer()
    if prefill:
        _said(prompt, prefill)
    return prompt.build(stop=STOP)


def _turn(prompt: PromptBuilder, message: Message) -> None:
    match message.role:
        case "system":
            prompt.control("[SYSTEM_PROMPT]").user(message.content).control("[/SYSTEM_PROMPT]")
        case "assistant":
            _said(prompt, message)
            for call in message.tool_calls:
                prompt.control("[TOOL_CALLS]").user(call.name).control("[ARGS]").user(dump_json(call.arguments))
            prompt.control(_EOS)
        case "tool":
            prompt.control("[TOOL_RESULTS]").user(message.content).control("[/TOOL_RESULTS]")
        case _:
            prompt.control("[INST]")
            for image in message.images:
                prompt.media("[IMG]", image)
            prompt.user(message.content).control("[/INST]")


def _said(prompt: PromptBuilder, message: Message) -> None:
    if message.thinking:
        prompt.control("[THINK]").user(message.thinking).control("[/THINK]")
    prompt.user(message.content)
