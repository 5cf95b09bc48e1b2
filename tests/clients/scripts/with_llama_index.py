"""llama-index-llms-ollama and llama-index-embeddings-ollama, over Ollama's dialect."""

from __future__ import annotations

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.ollama import OllamaEmbedding
from llama_index.llms.ollama import Ollama
from stage import MODEL, QUESTION, URL, Place, get_weather, report

model = Ollama(model=MODEL, base_url=URL, request_timeout=60)
tools = [FunctionTool.from_defaults(fn=get_weather)]
question = ChatMessage(role="user", content=QUESTION)


def chat() -> object:
    return model.chat([question]).message.content


async def async_chat() -> object:
    return (await model.achat([question])).message.content


def complete() -> object:
    return model.complete(QUESTION).text


def stream() -> object:
    return [part.delta for part in model.stream_chat([question]) if part.delta]


def thinking() -> object:
    answer = Ollama(model=MODEL, base_url=URL, request_timeout=60, thinking=True).chat([question])
    return next(block.content for block in answer.message.blocks if block.block_type == "thinking")


def tool_call() -> object:
    called = model.chat_with_tools(tools, user_msg=QUESTION)
    return [[call.tool_name, call.tool_kwargs] for call in model.get_tool_calls_from_response(called)]


def streamed_tool_call() -> object:
    *_, last = model.stream_chat_with_tools(tools, user_msg=QUESTION)
    return [[call.tool_name, call.tool_kwargs] for call in model.get_tool_calls_from_response(last)]


def tool_answer() -> object:
    asked = model.chat_with_tools(tools, user_msg=QUESTION)
    results = [
        ChatMessage(role="tool", content=get_weather(**call.tool_kwargs), additional_kwargs={"tool_call_id": call.tool_id})
        for call in model.get_tool_calls_from_response(asked)
    ]
    return model.chat_with_tools(tools, chat_history=[question, asked.message, *results]).message.content


def structured() -> object:
    return model.as_structured_llm(Place).chat([question]).raw.model_dump()


def embedding() -> object:
    return OllamaEmbedding(model_name=MODEL, base_url=URL).get_query_embedding("x")


def missing_model() -> object:
    return Ollama(model="nobody", base_url=URL, request_timeout=60).chat([question]).message.content


report(chat, async_chat, complete, stream, thinking, tool_call, streamed_tool_call, tool_answer, structured, embedding, missing_model)
