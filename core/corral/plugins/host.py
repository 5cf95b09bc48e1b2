"""Answer for all plugins: what is offered, by whom, and one typed method for each hook."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pluggy

from corral.errors import CorralError, PluginError
from corral.plugins.answers import NamedParser, NamedSource
from corral.plugins.calls import Call, failure
from corral.plugins.candidates import Selection, from_file, in_order, installed
from corral.plugins.discovery import discover
from corral.plugins.index import HOOK_OF, Kind, offered_names
from corral.plugins.loading import Loader
from corral.plugins.report import HookTimes, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from corral.api import ASGIApplication, Engine
    from corral.conversation import Conversation, Prompt
    from corral.devices import Placement
    from corral.events import OutputParser
    from corral.fetching import ModelSource
    from corral.plugins.candidates import Candidate
    from corral.plugins.report import DeviceReport, PluginReport
    from corral.runners import Runner
    from corral.settings import Settings
    from corral.spec import ApiOffer, ModelSpec, ParserOffer, ParserSupport, RendererOffer, Variable

#: What the result of each hook must have, checked on every call: attributes say more than a type that nobody inherits from.
_WANTED: Mapping[Kind, tuple[str, ...]] = {
    "renderer": ("segments", "stop", "suffix"),
    "parser": ("feed", "finish"),
    "runner": ("__aenter__", "__aexit__"),
    "api": ("__call__",),
    "source": ("resolve", "fetch", "close"),
}


class PluginHost:
    """The loaded plugins. Nothing but the hook times changes after loading, so all threads may share one."""

    def __init__(self, loader: Loader) -> None:
        self._reports = tuple(loader.reports)
        self._index = loader.index
        self._manager = loader.manager
        self._candidates = loader.candidates
        self._capabilities = loader.capabilities
        self._times: dict[tuple[str, str], HookTimes] = {}
        self._calls = {(kind, name): self._narrow(kind, name) for kind in HOOK_OF for name in self._index.names(kind)}
        self._parsers = {offer.name: offer for c in self._capabilities.values() for offer in c.parsers}

    @classmethod
    def load(
        cls,
        selection: Sequence[str] = (),
        *,
        strict: bool = False,
        entry_points: Iterable[Candidate] | None = None,
        files: Iterable[Path] = (),
    ) -> PluginHost:
        """Load the selected plugins of all installed distributions, or of `entry_points` when given, and those in files.

        Words of the selection are those of `-p`. A broken plugin is reported and left out; `strict` raises PluginError instead.
        Raises NotFound for a selected plugin that is not installed.
        """
        _require_pluggy()
        candidates = in_order([*(installed() if entry_points is None else entry_points), *map(from_file, files)])
        chosen = Selection.read(selection)
        chosen.check(candidates)
        loader = Loader()
        loader.load_all(candidates, chosen)
        host = cls(loader)
        if strict:
            host.require_sound()
        return host

    def require_sound(self) -> None:
        """Raise PluginError when any plugin is broken."""
        broken = [f"{r.name} ({r.distribution} {r.version}): {r.reason}" for r in self._reports if r.status is Status.BROKEN]
        if broken:
            raise PluginError(f"{len(broken)} broken: " + "; ".join(broken))

    def reports(self) -> tuple[PluginReport, ...]:
        """Return a report for each installed plugin, disabled and broken ones included."""
        return self._reports

    def hook_times(self) -> Mapping[tuple[str, str], HookTimes]:
        """Return what calls cost so far, by plugin and hook."""
        return self._times

    def statistics(self) -> Mapping[str, float]:
        """Return the same as counters by Prometheus-style name."""
        figures: dict[str, float] = {}
        for (plugin, hook), times in self._times.items():
            labels = f'{{plugin="{plugin}",hook="{hook}"}}'
            figures[f"corral_hook_calls_total{labels}"] = times.calls
            figures[f"corral_hook_failures_total{labels}"] = times.failures
            figures[f"corral_hook_seconds_total{labels}"] = times.seconds
        return figures

    def renderers(self) -> Mapping[str, RendererOffer]:
        """Return all renderers by name."""
        return {offer.name: offer for c in self._capabilities.values() for offer in c.renderers}

    def parsers(self) -> Mapping[str, ParserOffer]:
        """Return all parsers by name."""
        return self._parsers

    def runners(self) -> frozenset[str]:
        """Return the names of all runners."""
        return frozenset(self._index.names("runner"))

    def apis(self) -> Mapping[str, ApiOffer]:
        """Return all APIs by name."""
        return {offer.name: offer for c in self._capabilities.values() for offer in c.apis}

    def sources(self) -> frozenset[str]:
        """Return the schemes of all model sources."""
        return frozenset(self._index.names("source"))

    def variables(self) -> tuple[Variable, ...]:
        """Return the variables of the environment that plugins read, by name."""
        return tuple(sorted((variable for c in self._capabilities.values() for variable in c.variables), key=lambda v: v.name))

    def provider(self, kind: Kind, name: str) -> str:
        """Return the distribution and version that offer a name; raise UnknownName when none does."""
        return self._index.owner(kind, name).provider

    def require(self, kind: Kind, name: str) -> None:
        """Raise UnknownName, with the installed names and a suggestion, unless a plugin offers the name."""
        self._index.owner(kind, name)

    def render_prompt(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        """Render a conversation with the model's renderer."""
        return cast("Prompt", self._call("renderer", model.renderer.name)(model=model, conversation=conversation))

    def parse_output(self, model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
        """Return a fresh parser for one answer of the model."""
        call = self._call("parser", model.parser.name)
        parser = cast("OutputParser", call(model=model, conversation=conversation, prompt=prompt))
        return NamedParser(parser, self._index.owner("parser", model.parser.name))

    def parser_support(self, model: ModelSpec) -> ParserSupport:
        """Return what the model's parser can read."""
        owner = self._index.owner("parser", model.parser.name)
        try:
            return self._parsers[model.parser.name].support_for(model)
        except CorralError:
            raise
        except (Exception, SystemExit) as error:
            raise failure(owner, "declare_capabilities (support)", error) from error

    def spawn_runner(self, model: ModelSpec, placement: Placement, settings: Settings) -> AbstractAsyncContextManager[Runner]:
        """Return a context manager that loads the model and yields its runner."""
        call = self._call("runner", model.runner.name)
        return cast("AbstractAsyncContextManager[Runner]", call(model=model, placement=placement, settings=settings))

    def discover_devices(self, settings: Settings, *, quick: bool = False) -> list[DeviceReport]:
        """Ask every plugin (or the quick ones) for devices, all at once, for `settings.probe_timeout_s` at most; call it in a thread."""
        calls = {name: call for name, call in self._device_calls().items() if not quick or self._capabilities[name].quick_devices}
        reports = discover(calls, settings)
        return [replace(report, quick=self._capabilities[report.plugin].quick_devices) for report in reports]

    def create_app(self, name: str, engine: Engine, settings: Settings) -> ASGIApplication:
        """Return the application of an API."""
        return cast("ASGIApplication", self._call("api", name)(engine=engine, settings=settings))

    def open_source(self, reference: str) -> ModelSource:
        """Open a reference of the form `scheme:rest` with the owner of the scheme."""
        scheme = reference.partition(":")[0]
        source = cast("ModelSource", self._call("source", scheme)(reference=reference))
        return NamedSource(source, self._index.owner("source", scheme))

    def _call(self, kind: Kind, name: str) -> Call:
        if call := self._calls.get((kind, name)):
            return call
        self.require(kind, name)
        raise PluginError(f"{kind} '{name}' has an owner but no hook")

    def _narrow(self, kind: Kind, name: str) -> Call:
        """Take the other owners of this kind of name out of the hook; wrappers and observers stay."""
        owner = self._index.owner(kind, name)
        rivals = [n for n, c in self._capabilities.items() if n != owner.name and offered_names(c)[kind]]
        return self._caller(HOOK_OF[kind], owner, rivals, _WANTED[kind])

    def _device_calls(self) -> dict[str, Call]:
        owners = [report.name for report in self._reports if "discover_devices" in report.hooks]
        return {
            name: self._caller("discover_devices", self._candidates[name], [n for n in owners if n != name], ("__iter__",))
            for name in owners
            if not self._only_wraps("discover_devices", name)
        }

    def _caller(self, hook: str, owner: Candidate, rivals: Iterable[str], wanted: tuple[str, ...]) -> Call:
        silent = [self._manager.get_plugin(name) for name in rivals if not self._only_wraps(hook, name)]
        times = self._times.setdefault((owner.name, hook), HookTimes())
        return Call(self._manager.subset_hook_caller(hook, silent), owner, self._candidates, wanted, times)

    def _only_wraps(self, hook: str, plugin_name: str) -> bool:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return all(impl.wrapper or impl.hookwrapper for impl in caller.get_hookimpls() if impl.plugin_name == plugin_name)


def _require_pluggy() -> None:
    major, minor = (int(part) for part in pluggy.__version__.split(".")[:2])
    if (major, minor) < (1, 7):
        # 1.6 leaves a plugin that failed validation half registered: its other hooks would still be called.
        raise PluginError(f"corral needs pluggy 1.7 or newer, not {pluggy.__version__} (try: pip install 'pluggy>=1.7')")
