"""How the OpenAPI document looks as a page: plain HTML, nothing loaded from elsewhere, no script."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font:14px ui-monospace,monospace}pre{overflow:auto;background:#8881;padding:1rem}"
    "summary{cursor:pointer}b{display:inline-block;width:5rem}"
)
_HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    f"<title>corral: APIs</title><style>{_STYLE}</style>"
)


def page(document: JsonObject) -> str:
    """Return the page of a document."""
    components = _at(document, "components", "schemas")
    return "".join(
        (
            _HEAD,
            "<h1>corral</h1><p>Everything this server answers on. The same as data: <a href=openapi.json>openapi.json</a>.</p>",
            *_operations(document),
            "<h2>Schemas</h2>",
            *(_schema(name, schema) for name, schema in sorted(components.items())),
        )
    )


def _operations(document: JsonObject) -> Iterator[str]:
    for tag in [_at(entry)["name"] for entry in _list(document["tags"])]:
        yield f"<h2>{escape(str(tag))}</h2>"
        for path, operations in _at(document, "paths").items():
            for method, operation in _at(operations).items():
                if tag in _list(_at(operation)["tags"]):
                    yield _operation(method, path, _at(operation))


def _operation(method: str, path: str, operation: JsonObject) -> str:
    title = f"<b>{escape(method.upper())}</b><code>{escape(path)}</code> {escape(str(operation['summary']))}"
    details: JsonObject = {key: value for key, value in operation.items() if key in ("parameters", "requestBody", "responses")}
    return f"<details><summary>{title}</summary>{_code(details)}</details>"


def _schema(name: str, schema: Json) -> str:
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_code(schema)}</details>'


def _code(value: Json) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2))}</pre>"


def _at(value: Json, *keys: str) -> JsonObject:
    for key in keys:
        value = _at(value)[key]
    assert isinstance(value, dict)
    return value


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value
