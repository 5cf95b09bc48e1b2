"""Which native routes bring models in: pull, create and uploaded blobs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from quart import Response, request

from corral.api import CreateRequest
from corral.errors import InvalidInput
from corral_api.arguments import json_object
from corral_api.bodies import BodyReader
from corral_api.ollama import reading, schema
from corral_api.problems import problem_of
from corral_api.routes import Route
from corral_api.web import NDJSON, body_bytes, json_response, report_headers, stream_response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from corral.api import Library
    from corral.fetching import Progress

_encode = msgspec.json.Encoder().encode


class Transfers:
    """Answers pull, create and blobs with a library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._pull_body = BodyReader(schema.PullRequest, any_case=True)
        self._create_body = BodyReader(schema.CreateRequest, any_case=True)

    def routes(self) -> list[Route]:
        """Return the routes that bring models in."""
        return [
            Route(
                method="POST",
                path="/api/pull",
                handle=self.pull,
                summary="Fetch a model from its source",
                takes=schema.PullRequest,
                gives=schema.ProgressLine,
                streams=schema.ProgressLine,
            ),
            Route(
                method="POST",
                path="/api/create",
                handle=self.create,
                summary="Make a model of blobs or of another model",
                takes=schema.CreateRequest,
                gives=schema.ProgressLine,
                streams=schema.ProgressLine,
            ),
            Route(method="POST", path="/api/push", handle=self.push, summary="Refuse to push", status=400, gives=schema.ErrorOut),
            Route(method="HEAD", path="/api/blobs/<digest>", handle=self.has_blob, summary="Say whether a blob is there"),
            Route(method="POST", path="/api/blobs/<digest>", handle=self.add_blob, summary="Upload a blob", status=201),
        ]

    async def pull(self) -> Response:
        """Answer POST /api/pull."""
        read = self._pull_body.read(await body_bytes())
        body = read.value
        name = reading.model_name(body.model or body.name, "invalid model name")
        headers = report_headers(ignored=(*read.unknown, *(("insecure",) if body.insecure else ())))
        return await _progress(self._library.pull(name), as_stream=body.stream, headers=headers)

    async def create(self) -> Response:
        """Answer POST /api/create."""
        read = self._create_body.read(await body_bytes())
        headers = report_headers(ignored=read.unknown)
        return await _progress(self._library.create(_creation(read.value)), as_stream=read.value.stream, headers=headers)

    async def push(self) -> Response:
        """Refuse POST /api/push."""
        raise InvalidInput("corral does not push models; copy the files of its store, or put a wheel with them on your own index")

    async def has_blob(self, digest: str) -> Response:
        """Answer HEAD /api/blobs/DIGEST."""
        found = await asyncio.to_thread(self._library.has_blob, digest)
        return Response(b"", 200) if found else json_response(schema.ErrorOut(f'blob "{digest}" not found'), 404)

    async def add_blob(self, digest: str) -> Response:
        """Answer POST /api/blobs/DIGEST; the body goes to disk as it comes."""
        if await asyncio.to_thread(self._library.has_blob, digest):
            return Response(b"", 200)
        added = await self._library.add_blob(digest, _uploaded())
        return Response(b"", 201 if added else 200)


async def _uploaded() -> AsyncIterator[bytes]:
    async for chunk in request.body:
        yield chunk


async def _progress(steps: AsyncIterator[Progress], *, as_stream: bool, headers: Mapping[str, str]) -> Response:
    if as_stream:
        # What fails before the first step has a status of its own; afterwards an error is a line.
        first = await anext(steps, None)
        return stream_response(_progress_lines(first, steps), NDJSON, headers=headers)
    last = schema.ProgressLine("success")
    async for step in steps:
        last = schema.ProgressLine(step.status)
    return json_response(last, headers=headers)


async def _progress_lines(first: Progress | None, steps: AsyncIterator[Progress]) -> AsyncGenerator[bytes, None]:
    """Yield a line per step; an error becomes the last line, since the status is out already."""
    if first is not None:
        yield _line(first)
    try:
        async for step in steps:
            yield _line(step)
    except Exception as error:  # noqa: BLE001 - told to the client on its own line
        yield _encode(schema.ErrorOut(problem_of(error).message)) + b"\n"


def _line(step: Progress) -> bytes:
    return _encode(schema.ProgressLine(step.status, step.digest, step.total, step.completed)) + b"\n"


def _creation(body: schema.CreateRequest) -> CreateRequest:
    if body.quantize or body.quantization:
        raise InvalidInput("corral does not quantize; create the model from a GGUF file that is quantized already")
    licenses = [body.license] if isinstance(body.license, str) else body.license
    return CreateRequest(
        model=reading.model_name(body.model or body.name, "invalid model name"),
        base=body.base,
        files=body.files,
        adapters=body.adapters,
        template=body.template or None,
        system=body.system or None,
        renderer=body.renderer or None,
        parser=body.parser or None,
        runner=body.runner or None,
        requires=body.requires,
        licenses=tuple(text for text in licenses if text),
        parameters=json_object(body.parameters),
        messages=tuple(reading.message(turn) for turn in body.messages),
    )
