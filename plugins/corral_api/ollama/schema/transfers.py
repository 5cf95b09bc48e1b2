"""Which JSON pull and create read, and how they tell of their progress."""

from __future__ import annotations

from msgspec import Struct, field

from corral_api.ollama.schema.answering import MessageIn


class PullRequest(Struct):
    """POST /api/pull; `name` is the older key."""

    model: str = ""
    name: str = ""
    stream: bool = True
    insecure: bool = False


class CreateRequest(Struct):
    """POST /api/create; empty means inherit."""

    model: str = ""
    name: str = ""
    base: str = field(default="", name="from")
    files: dict[str, str] = {}
    adapters: dict[str, str] = {}
    template: str | None = None
    system: str | None = None
    renderer: str | None = None
    parser: str | None = None
    runner: str | None = None
    requires: str = ""
    license: str | list[str] = []
    parameters: dict[str, object] = {}
    messages: list[MessageIn] = []
    stream: bool = True
    quantize: str = ""
    quantization: str = ""


class ProgressLine(Struct, omit_defaults=True):
    """A step of pull or create."""

    status: str
    digest: str = ""
    total: int = 0
    completed: int = 0
