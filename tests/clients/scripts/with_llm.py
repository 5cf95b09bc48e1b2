"""llm with llm-ollama, over Ollama's dialect."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from stage import MODEL, QUESTION, URL, Place, get_weather, report

os.environ["OLLAMA_HOST"] = URL

import llm

model = llm.get_model(MODEL)


def chat() -> object:
    return model.prompt(QUESTION).text()


async def async_chat() -> object:
    return await llm.get_async_model(MODEL).prompt(QUESTION).text()


def stream() -> object:
    return [piece for piece in model.prompt(QUESTION) if piece]


def usage() -> object:
    response = model.prompt(QUESTION)
    response.text()
    counted = response.usage()
    return [counted.input, counted.output]


def tool_call() -> object:
    return [[call.name, call.arguments] for call in model.prompt(QUESTION, tools=[get_weather], stream=False).tool_calls()]


def streamed_tool_call() -> object:
    return [[call.name, call.arguments] for call in model.prompt(QUESTION, tools=[get_weather]).tool_calls()]


def tool_answer() -> object:
    *_, last = model.chain(QUESTION, tools=[get_weather]).responses()
    return last.text()


def structured() -> object:
    return json.loads(model.prompt(QUESTION, schema=Place).text())


def embedding() -> object:
    return llm.get_embedding_model(MODEL).embed("x")


def command() -> object:
    command = [sys.executable, "-m", "llm", "prompt", "--no-log", "-m", MODEL, QUESTION]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def missing_model() -> object:
    return llm.get_model("nobody").prompt(QUESTION).text()


report(chat, async_chat, stream, usage, tool_call, streamed_tool_call, tool_answer, structured, embedding, command, missing_model)
