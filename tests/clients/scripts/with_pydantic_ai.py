"""pydantic-ai, over OpenAI's chat completions."""

from __future__ import annotations

from pydantic_ai import Agent, Embedder, NativeOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from stage import MODEL, QUESTION, URL, Place, get_weather, report

provider = OpenAIProvider(base_url=f"{URL}/v1", api_key="none")
model = OpenAIChatModel(MODEL, provider=provider)


def _calls(messages: list[object]) -> object:
    parts = [part for message in messages for part in message.parts if part.part_kind == "tool-call"]
    return [[part.tool_name, part.args_as_dict()] for part in parts]


def chat() -> object:
    return Agent(model).run_sync(QUESTION).output


async def async_chat() -> object:
    return (await Agent(model).run(QUESTION)).output


async def stream() -> object:
    async with Agent(model).run_stream(QUESTION) as answer:
        return [piece async for piece in answer.stream_text(delta=True, debounce_by=None) if piece]


def usage() -> object:
    counted = Agent(model).run_sync(QUESTION).usage
    counted = counted() if callable(counted) else counted
    return [counted.input_tokens, counted.output_tokens]


def tool_call() -> object:
    return _calls(Agent(model, tools=[get_weather]).run_sync(QUESTION).all_messages())


async def streamed_tool_call() -> object:
    async with Agent(model, tools=[get_weather]).run_stream(QUESTION, event_stream_handler=None) as answer:
        await answer.get_output()
        return _calls(answer.all_messages())


def tool_answer() -> object:
    return Agent(model, tools=[get_weather]).run_sync(QUESTION).output


def structured() -> object:
    return Agent(model, output_type=NativeOutput(Place)).run_sync(QUESTION).output.model_dump()


def structured_by_a_tool() -> object:
    return Agent(model, output_type=Place).run_sync(QUESTION).output.model_dump()


def embedding() -> object:
    embedder = Embedder(OpenAIEmbeddingModel(MODEL, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key="none")))
    return list(embedder.embed_query_sync("x").embeddings[0])


def missing_model() -> object:
    return Agent(OpenAIChatModel("nobody", provider=provider)).run_sync(QUESTION).output


report(
    chat, async_chat, stream, usage, tool_call, streamed_tool_call, tool_answer, structured, structured_by_a_tool, embedding, missing_model
)
