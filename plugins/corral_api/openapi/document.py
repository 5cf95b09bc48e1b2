"""How the route tables of the dialects become one OpenAPI 3.1 document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral.conversation import JsonObject
    from corral.spec import ApiOffer
    from corral_api.routes import Route

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The routes of one API, the struct of its errors, and the content type of its streams."""

    name: str
    routes: Sequence[Route]
    error: type[msgspec.Struct]
    stream_type: str


def document(dialects: Sequence[Dialect], others: Iterable[ApiOffer]) -> JsonObject:
    """Return the document of dialects; APIs of others are named with the paths they answer on."""
    kinds = _kinds(dialects)
    schemas, components = msgspec.json.schema_components(kinds, schema_hook=_any_json, ref_template=_REFERENCE)
    references = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, JsonObject] = {}
    for dialect in dialects:
        for route in dialect.routes:
            operations = paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})
            operations[route.method.lower()] = _operation(dialect, route, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "corral", "version": version("corral"), "description": "Local language models, in the words of several APIs."},
        "tags": [{"name": dialect.name} for dialect in dialects],
        "paths": dict(paths),
        "components": {"schemas": dict(components)},
        "x-corral-apis": {offer.name: list(offer.paths) for offer in others},
    }


def _kinds(dialects: Iterable[Dialect]) -> list[type[msgspec.Struct]]:
    """Return every struct that a route names, once."""
    named = [
        kind
        for dialect in dialects
        for kind in (dialect.error, *(kind for route in dialect.routes for kind in (route.takes, route.gives, route.streams)))
    ]
    return list(dict.fromkeys(kind for kind in named if kind is not None))


def _any_json(kind: type) -> JsonObject:
    """Return the schema of a field that holds whatever a client sent."""
    if kind is object:
        return {"description": "any JSON"}
    raise NotImplementedError(kind)


def _operation(dialect: Dialect, route: Route, references: dict[type[msgspec.Struct], JsonObject]) -> JsonObject:
    operation: JsonObject = {
        "tags": [dialect.name],
        "summary": route.summary,
        "operationId": f"{route.method.lower()}{re.sub(r'[^a-zA-Z0-9]+', '_', route.path).rstrip('_')}",
        "responses": {
            str(route.status): {"description": route.summary, **_content(_answers(dialect, route, references))},
            "default": {"description": "What went wrong", **_content({"application/json": references[dialect.error]})},
        },
    }
    if names := _PARAMETER.findall(route.path):
        operation["parameters"] = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    if route.takes is not None:
        operation["requestBody"] = {"required": True, **_content({"application/json": references[route.takes]})}
    return operation


def _answers(dialect: Dialect, route: Route, references: dict[type[msgspec.Struct], JsonObject]) -> dict[str, JsonObject]:
    answers = {"application/json": references[route.gives]} if route.gives else {}
    if route.streams is not None:
        answers[dialect.stream_type] = _streamed(dialect.stream_type, references[route.streams])
    return answers


def _streamed(stream_type: str, item: JsonObject) -> JsonObject:
    """Return the schema of one item of a stream: a line of JSON, or an event that carries JSON in its data (as OpenAPI 3.2 has it)."""
    if stream_type != "text/event-stream":
        return item
    data: JsonObject = {"type": "string", "contentMediaType": "application/json", "contentSchema": item}
    return {"type": "object", "properties": {"event": {"type": "string"}, "data": data}, "required": ["data"]}


def _content(schemas: dict[str, JsonObject]) -> JsonObject:
    return {"content": {kind: {"schema": schema} for kind, schema in schemas.items()}} if schemas else {}
