"""Write what Granite 3.3 is told when a client gives no instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.conversation import Conversation, JsonObject
    from corral.formats import PromptBuilder

_PLAIN = " You are a helpful AI assistant."
_THINKING = (
    f"{_PLAIN}\nRespond to every user query in a comprehensive and detailed way. You can write down your thoughts and reasoning process "
    "before responding. In the thought process, engage in a comprehensive cycle of analysis, summarization, exploration, reassessment, "
    "reflection, backtracing, and iteration to develop well-considered thinking process. In the response section, based on various "
    "attempts, explorations, and reflections from the thoughts section, systematically present the final solution that you deem correct. "
    "The response should summarize the thought process. Write your thoughts between <think></think> and write your response between "
    "<response></response> for each user query."
)
_TOOLS = (
    " You are a helpful assistant with access to the following tools. When a tool is required to answer the user's query, respond only "
    "with <|tool_call|> followed by a JSON list of tools used. If a tool does not exist in the provided list of tools, notify the user "
    "that you do not have the ability to fulfill the request."
)
_DOCUMENTS = (
    " Write the response to the user's input by strictly aligning with the facts in the provided documents. If the information needed to "
    "answer the question is not available in the documents, inform the user that the question cannot be answered based on the available "
    "data."
)
#: By the control that asks for them.
_CONTROLLED = {
    "citations": "\nUse the symbols <|start_of_cite|> and <|end_of_cite|> to indicate when a fact comes from a document in the search "
    "result, e.g <|start_of_cite|> {document_id: 1}my fact <|end_of_cite|> for a fact from document 1. Afterwards, list all the citations "
    "with their corresponding documents in an ordered list.",
    "hallucinations": "\nFinally, after the response is written, include a numbered list of sentences from the response with a "
    "corresponding risk value that are hallucinated and not based in the documents.",
}


def write_instructions(prompt: PromptBuilder, conversation: Conversation, controls: JsonObject, *, has_documents: bool) -> None:
    """Write the instructions; only one who has neither tools nor documents is told to think."""
    prompt.control("Knowledge Cutoff Date: April 2024. ")
    # A renderer has no clock, and a date that changes every day would cost every cached prefix.
    if date := conversation.template_arguments.get("current_date"):
        prompt.control("Today's Date: ").user(str(date)).control(". ")
    prompt.control("You are Granite, developed by IBM.")
    if conversation.tools:
        prompt.control(_TOOLS)
    if has_documents:
        prompt.control(_DOCUMENTS)
        prompt.control("".join(text for name, text in _CONTROLLED.items() if name in controls))
    elif not conversation.tools:
        prompt.control(_THINKING if conversation.think else _PLAIN)
