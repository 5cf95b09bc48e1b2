"""langchain-ollama, over Ollama's dialect."""

from __future__ import annotations

from functools import reduce
from operator import add

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_ollama import ChatOllama, OllamaEmbeddings
from stage import MODEL, QUESTION, URL, Place, get_weather, report

model = ChatOllama(model=MODEL, base_url=URL)
equipped = model.bind_tools([get_weather])


def chat() -> object:
    return model.invoke(QUESTION).content


async def async_chat() -> object:
    return (await model.ainvoke(QUESTION)).content


def stream() -> object:
    return [chunk.content for chunk in model.stream(QUESTION) if chunk.content]


def usage() -> object:
    counted = model.invoke(QUESTION).usage_metadata
    return [counted["input_tokens"], counted["output_tokens"]]


def thinking() -> object:
    return ChatOllama(model=MODEL, base_url=URL, reasoning=True).invoke(QUESTION).additional_kwargs["reasoning_content"]


def tool_call() -> object:
    return [[call["name"], call["args"]] for call in equipped.invoke(QUESTION).tool_calls]


def streamed_tool_call() -> object:
    return [[call["name"], call["args"]] for call in reduce(add, equipped.stream(QUESTION)).tool_calls]


def tool_answer() -> object:
    asked = equipped.invoke(QUESTION)
    results = [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in asked.tool_calls]
    return equipped.invoke([HumanMessage(QUESTION), asked, *results]).content


def structured() -> object:
    return model.with_structured_output(Place).invoke(QUESTION).model_dump()


def embedding() -> object:
    return OllamaEmbeddings(model=MODEL, base_url=URL).embed_query("x")


def missing_model() -> object:
    return ChatOllama(model="nobody", base_url=URL).invoke(QUESTION).content


report(chat, async_chat, stream, usage, thinking, tool_call, streamed_tool_call, tool_answer, structured, embedding, missing_model)
