"""Which native routes tell of installed and running models, copy them and delete them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace
from quart import Response

from corral_api.bodies import BodyReader
from corral_api.ollama import reading, schema
from corral_api.ollama.details import running_model, shown_model, tags_model
from corral_api.routes import Route
from corral_api.web import body_bytes, json_response, report_headers

if TYPE_CHECKING:
    from corral.api import Engine


class Models:
    """Answers questions about models. The store blocks, so it is asked in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._show_body = BodyReader(schema.ShowRequest, any_case=True)
        self._delete_body = BodyReader(schema.DeleteRequest, any_case=True)
        self._copy_body = BodyReader(schema.CopyRequest, any_case=True)

    def routes(self) -> list[Route]:
        """Return the routes about models."""
        return [
            Route(method="GET", path="/api/tags", handle=self.tags, summary="List installed models", gives=schema.TagsAnswer),
            Route(method="GET", path="/api/ps", handle=self.ps, summary="List loaded models", gives=schema.PsAnswer),
            Route(
                method="POST",
                path="/api/show",
                handle=self.show,
                summary="Show all that is known about a model",
                takes=schema.ShowRequest,
                gives=schema.ShowAnswer,
            ),
            Route(
                method="POST",
                path="/api/copy",
                handle=self.copy,
                summary="Give a model a second name",
                takes=schema.CopyRequest,
            ),
            Route(
                method="DELETE",
                path="/api/delete",
                handle=self.delete,
                summary="Remove a model",
                takes=schema.DeleteRequest,
            ),
        ]

    async def tags(self) -> Response:
        """Answer GET /api/tags."""
        return json_response(await asyncio.to_thread(self._tags))

    def _tags(self) -> schema.TagsAnswer:
        library = self._engine.library
        return schema.TagsAnswer([tags_model(summary, library.capabilities(summary)) for summary in library.summaries()])

    async def ps(self) -> Response:
        """Answer GET /api/ps."""
        return json_response(schema.PsAnswer([running_model(running) for running in self._engine.running()]))

    async def show(self) -> Response:
        """Answer POST /api/show; a `system` in the request overlays what is shown."""
        read = self._show_body.read(await body_bytes())
        body = read.value
        name = reading.model_name(body.model or body.name, "model is required")
        details = await asyncio.to_thread(self._engine.library.show, name, verbose=body.verbose)
        answer = shown_model(details)
        shown = replace(answer, system=body.system) if body.system else answer
        return json_response(shown, headers=report_headers(ignored=read.unknown))

    async def copy(self) -> Response:
        """Answer POST /api/copy."""
        read = self._copy_body.read(await body_bytes())
        body = read.value
        source = reading.model_name(body.source, f'source "{body.source}" is invalid')
        destination = reading.model_name(body.destination, f'destination "{body.destination}" is invalid')
        await asyncio.to_thread(self._engine.library.copy, source, destination)
        return Response(b"", 200, report_headers(ignored=read.unknown))

    async def delete(self) -> Response:
        """Answer DELETE /api/delete."""
        read = self._delete_body.read(await body_bytes())
        body = read.value
        name = reading.model_name(body.model or body.name, "model is required")
        await asyncio.to_thread(self._engine.library.delete, name)
        return Response(b"", 200, report_headers(ignored=read.unknown))
