"""litellm, over the dialect that the model's prefix names."""

from __future__ import annotations

import litellm
from stage import MODEL, QUESTION, TOOL, URL, Place, get_weather, report

provider, name = MODEL.split("/")
here = {"api_base": f"{URL}/v1" if provider == "openai" else URL, "api_key": "none", "max_tokens": 50, "num_retries": 0}
question = {"role": "user", "content": QUESTION}


def _ask(*messages: dict[str, object], **extra: object) -> litellm.Message:
    return litellm.completion(model=MODEL, messages=[question, *messages], **here, **extra).choices[0].message


def _calls(message: litellm.Message) -> object:
    return [[call.function.name, Place.model_validate_json(call.function.arguments).model_dump()] for call in message.tool_calls]


def chat() -> object:
    return _ask().content


async def async_chat() -> object:
    return (await litellm.acompletion(model=MODEL, messages=[question], **here)).choices[0].message.content


def stream() -> object:
    parts = litellm.completion(model=MODEL, messages=[question], stream=True, **here)
    return [part.choices[0].delta.content for part in parts if part.choices[0].delta.content]


def usage() -> object:
    counted = litellm.completion(model=MODEL, messages=[question], **here).usage
    return [counted.prompt_tokens, counted.completion_tokens]


def tool_call() -> object:
    return _calls(_ask(tools=[TOOL]))


def streamed_tool_call() -> object:
    parts = list(litellm.completion(model=MODEL, messages=[question], tools=[TOOL], stream=True, **here))
    return _calls(litellm.stream_chunk_builder(parts, messages=[question]).choices[0].message)


def tool_answer() -> object:
    asked = _ask(tools=[TOOL])
    results = [{"role": "tool", "tool_call_id": call.id, "content": get_weather("Paris")} for call in asked.tool_calls]
    return _ask(asked.model_dump(), *results, tools=[TOOL]).content


def structured() -> object:
    return Place.model_validate_json(_ask(response_format=Place, temperature=0).content).model_dump()


def embedding() -> object:
    prefix = "ollama" if provider == "ollama_chat" else provider
    place = {"api_base": here["api_base"], "api_key": "none"}
    return litellm.embedding(model=f"{prefix}/{name}", input=["x"], **place).data[0]["embedding"]


def missing_model() -> object:
    return litellm.completion(model=f"{provider}/nobody", messages=[question], **here).choices[0].message.content


report(chat, async_chat, stream, usage, tool_call, streamed_tool_call, tool_answer, structured, embedding, missing_model)
