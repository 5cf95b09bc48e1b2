"""Which routes make, return and forget responses."""

from __future__ import annotations

import secrets
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import msgspec

from corral_api.bodies import BodyReader
from corral_api.openai.responses import events, reading, schema
from corral_api.openai.responses.store import ResponseStore, Stored
from corral_api.openai.responses.writing import ResponseWriter, said
from corral_api.routes import Route
from corral_api.schema import debug_info
from corral_api.streaming import all_events, open_answer, open_soon, stream
from corral_api.web import (
    EVENT_STREAM,
    body_bytes,
    json_response,
    report_headers,
    request_id,
    stream_response,
    wanted_context,
)

if TYPE_CHECKING:
    from quart import Response

    from corral.api import Engine, Request
    from corral.conversation import Message


class Responses:
    """Answers responses with an engine, and remembers them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._body = BodyReader(schema.ResponsesRequest)
        self._store = ResponseStore()

    def routes(self) -> list[Route]:
        """Return the routes of responses."""
        return [
            Route(
                method="POST",
                path="/v1/responses",
                handle=self.create,
                summary="Answer an input, after what was said earlier",
                takes=schema.ResponsesRequest,
                gives=schema.ResponseOut,
                streams=events.TextDelta,
            ),
            Route(
                method="GET",
                path="/v1/responses/<response_id>",
                handle=self.get,
                summary="Return a stored response",
                gives=schema.ResponseOut,
            ),
            Route(
                method="DELETE",
                path="/v1/responses/<response_id>",
                handle=self.delete,
                summary="Forget a stored response",
                gives=schema.DeletedOut,
            ),
            Route(
                method="GET",
                path="/v1/responses/<response_id>/input_items",
                handle=self.input_items,
                summary="Return what a stored response was asked",
                gives=schema.InputItemsOut,
            ),
        ]

    async def create(self) -> Response:
        """Answer POST /v1/responses."""
        read = self._body.read(await body_bytes())
        body = read.value
        request = reading.response_request(body, self._earlier(body), request_id(), wanted_context())
        ignored = reading.ignored_fields(read.unknown, body, request)
        empty = _empty(body)
        if body.debug_render_only:
            rendered = await self._engine.render(request)
            return json_response(msgspec.structs.replace(empty, debug_info=debug_info(rendered)))
        answering = self._engine.answer(request)
        opened = await (open_soon(answering) if body.stream else open_answer(answering))
        headers = report_headers(ignored=ignored, notices=opened.codes)
        writer = ResponseWriter(empty, lambda response: self._remember(body, request, response))
        if body.stream:
            return stream_response(stream(opened, writer), EVENT_STREAM, headers=headers)
        async with aclosing(all_events(opened)) as answer:
            async for event in answer:
                for _ in writer.made_of(event):
                    pass
        return json_response(writer.response, headers=headers)

    async def get(self, response_id: str) -> Response:
        """Answer GET /v1/responses/ID."""
        return json_response(self._store.get(response_id).response)

    async def delete(self, response_id: str) -> Response:
        """Answer DELETE /v1/responses/ID."""
        self._store.remove(response_id)
        return json_response(schema.DeletedOut(response_id))

    async def input_items(self, response_id: str) -> Response:
        """Answer GET /v1/responses/ID/input_items."""
        items = list(self._store.get(response_id).input_items)
        ids = [str(item["id"]) for item in items]
        return json_response(schema.InputItemsOut(items, *((ids[0], ids[-1]) if ids else (None, None))))

    def _earlier(self, body: schema.ResponsesRequest) -> tuple[Message, ...]:
        return self._store.get(body.previous_response_id).messages if body.previous_response_id else ()

    def _remember(self, body: schema.ResponsesRequest, request: Request, response: schema.ResponseOut) -> None:
        if not body.store:
            return
        # Instructions are for one response only; the next one brings its own.
        asked = request.conversation.messages[1 if body.instructions else 0 :]
        self._store.add(Stored(response, (*asked, said(response)), _input_items(body)))


def _input_items(body: schema.ResponsesRequest) -> tuple[dict[str, object], ...]:
    if isinstance(body.input, str):
        content = [{"type": "input_text", "text": body.input}]
        return ({"id": _item_id(), "type": "message", "role": "user", "content": content},)
    return tuple({"id": _item_id(), **cast("dict[str, object]", msgspec.to_builtins(item))} for item in body.input)


def _item_id() -> str:
    return f"in_{secrets.token_hex(12)}"


def _empty(body: schema.ResponsesRequest) -> schema.ResponseOut:
    """Return the response as it begins: what was asked, and nothing of the answer."""
    wanted = body.text.format if body.text else None
    return schema.ResponseOut(
        id=f"resp_{secrets.token_hex(12)}",
        object="response",
        created_at=int(time.time()),
        completed_at=None,
        status="in_progress",
        background=False,
        error=None,
        incomplete_details=None,
        instructions=body.instructions or None,
        max_output_tokens=body.max_output_tokens,
        max_tool_calls=None,
        model=body.model,
        output=[],
        parallel_tool_calls=body.parallel_tool_calls,
        previous_response_id=body.previous_response_id or None,
        reasoning=schema.ReasoningOut((body.reasoning.effort if body.reasoning else "") or None, None),
        service_tier="default",
        store=body.store,
        temperature=body.temperature,
        text=schema.TextOut(cast("dict[str, object]", msgspec.to_builtins(wanted)) if wanted else {"type": "text"}),
        tool_choice=body.tool_choice,
        tools=body.tools,
        top_logprobs=0,
        top_p=body.top_p,
        truncation=body.truncation,
        usage=None,
        user=body.user or None,
        metadata=body.metadata,
    )
