"""langchain-openai, over OpenAI's chat completions and responses."""

from __future__ import annotations

from functools import reduce
from operator import add

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from stage import MODEL, QUESTION, URL, Place, get_weather, report

HERE = {"base_url": f"{URL}/v1", "api_key": "none", "max_retries": 0}

model = ChatOpenAI(model=MODEL, **HERE)
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


def responses() -> object:
    return ChatOpenAI(model=MODEL, use_responses_api=True, **HERE).invoke(QUESTION).text


def streamed_responses() -> object:
    chunks = ChatOpenAI(model=MODEL, use_responses_api=True, **HERE).stream(QUESTION)
    return [str(chunk.text) for chunk in chunks if chunk.text]


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
    # Otherwise it sends token ids of tiktoken's, whose tables it would download.
    return OpenAIEmbeddings(model=MODEL, check_embedding_ctx_length=False, **HERE).embed_query("x")


def missing_model() -> object:
    return ChatOpenAI(model="nobody", **HERE).invoke(QUESTION).content


report(
    chat,
    async_chat,
    stream,
    usage,
    responses,
    streamed_responses,
    tool_call,
    streamed_tool_call,
    tool_answer,
    structured,
    embedding,
    missing_model,
)
