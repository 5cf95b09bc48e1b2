"""instructor, over OpenAI's chat completions in each of its ways to ask for structure."""

from __future__ import annotations

import instructor
import openai
from stage import MODEL, QUESTION, URL, Place, report

HERE = {"base_url": f"{URL}/v1", "api_key": "none", "max_retries": 0}
ASKED = {"messages": [{"role": "user", "content": QUESTION}], "response_model": Place, "max_retries": 0}


def _in(mode: instructor.Mode) -> instructor.Instructor:
    return instructor.from_openai(openai.OpenAI(**HERE), mode=mode)


def structured() -> object:
    return _in(instructor.Mode.JSON_SCHEMA).chat.completions.create(model=MODEL, **ASKED).model_dump()


def structured_by_a_tool() -> object:
    return _in(instructor.Mode.TOOLS).chat.completions.create(model=MODEL, **ASKED).model_dump()


def structured_by_json_mode() -> object:
    return _in(instructor.Mode.JSON).chat.completions.create(model=MODEL, **ASKED).model_dump()


def streamed_structure() -> object:
    *_, last = _in(instructor.Mode.TOOLS).chat.completions.create_partial(model=MODEL, **ASKED)
    return last.model_dump()


async def async_structure() -> object:
    client = instructor.from_openai(openai.AsyncOpenAI(**HERE), mode=instructor.Mode.TOOLS)
    return (await client.chat.completions.create(model=MODEL, **ASKED)).model_dump()


def missing_model() -> object:
    return _in(instructor.Mode.TOOLS).chat.completions.create(model="nobody", **ASKED).model_dump()


report(structured, structured_by_a_tool, structured_by_json_mode, streamed_structure, async_structure, missing_model)
