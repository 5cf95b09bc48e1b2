"""Load plugins one by one, so that one that fails costs only itself."""

from __future__ import annotations

import contextlib
import inspect
import io
import time
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pluggy

from corral import hookspecs
from corral.errors import PluginError
from corral.markers import API_VERSION, GROUP
from corral.plugins.calls import describe
from corral.plugins.index import HOOK_OF, Index, offered_names
from corral.plugins.report import PluginReport, Status
from corral.spec import Capabilities

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral.plugins.candidates import Candidate, Selection


class Loader:
    """Registers plugins in the order given, and keeps a report of each."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.hook_names = frozenset(vars(self.manager.hook))
        self.index = Index()
        self.capabilities: dict[str, Capabilities] = {}
        self.candidates: dict[str, Candidate] = {}
        self.reports: list[PluginReport] = []

    def load_all(self, candidates: Iterable[Candidate], selection: Selection) -> None:
        """Load every selected plugin."""
        for candidate in candidates:
            if reason := selection.reason_to_skip(candidate):
                self.reports.append(_report(candidate, Status.DISABLED, reason=reason))
            else:
                self.reports.append(self._load(candidate))

    def _load(self, candidate: Candidate) -> PluginReport:
        started = time.perf_counter()
        try:
            self._check_name_is_free(candidate)
            capabilities = self._admit(candidate, _import(candidate))
        except PluginError as error:
            return _report(candidate, Status.BROKEN, reason=str(error), load_s=time.perf_counter() - started)
        offers: dict[str, tuple[str, ...]] = dict(offered_names(capabilities).items())
        offers["device"] = tuple(capabilities.device_backends)
        return _report(
            candidate,
            Status.OK,
            offers={kind: names for kind, names in offers.items() if names},
            hooks=self._hooks(candidate.name),
            load_s=time.perf_counter() - started,
        )

    def _check_name_is_free(self, candidate: Candidate) -> None:
        if other := self.candidates.get(candidate.name):
            raise PluginError(
                f"the name of {candidate.title} is taken by {other.title} (try: -p no:{other.distribution}, or uninstall one of the two)"
            )

    def _admit(self, candidate: Candidate, plugin: Any) -> Capabilities:
        """Register a plugin and its names; whatever is wrong with it, it leaves no trace behind."""
        self._register(candidate, plugin)
        try:
            self._check_hooks(candidate.name)
            capabilities = self._declare(candidate.name)
            self._check_offers(candidate.name, capabilities)
            self.index.claim(candidate, capabilities)
        except PluginError:
            self.manager.unregister(name=candidate.name)
            raise
        except (AttributeError, TypeError) as error:
            # The types of what is inside of Capabilities are promises that nothing has checked yet.
            self.manager.unregister(name=candidate.name)
            raise PluginError(f"declare_capabilities offers something that is no offer: {describe(error)}") from error
        self.candidates[candidate.name] = candidate
        self.capabilities[candidate.name] = capabilities
        return capabilities

    def _register(self, candidate: Candidate, plugin: Any) -> None:
        if inspect.isclass(plugin):
            raise PluginError(f"is a class; point the entry point to an instance: {plugin.__name__}()")
        if plugin.__hash__ is None:
            raise PluginError("can't be hashed; a plugin is a module or a plain object")
        try:
            self.manager.register(plugin, name=candidate.name)
        except pluggy.PluginValidationError as error:
            raise PluginError(" ".join(str(error).split())) from error
        except ValueError as error:
            raise PluginError("is the same object as another plugin") from error

    def _implementations(self, name: str) -> list[tuple[str, pluggy.HookImpl]]:
        callers = self.manager.get_hookcallers(self.manager.get_plugin(name)) or []
        return [(caller.name, impl) for caller in callers for impl in caller.get_hookimpls() if impl.plugin_name == name]

    def _hooks(self, name: str) -> tuple[str, ...]:
        return tuple(sorted({hook for hook, _ in self._implementations(name)}))

    def _check_hooks(self, name: str) -> None:
        for hook, implementation in self._implementations(name):
            if hook not in self.hook_names and not implementation.optionalhook:
                close = get_close_matches(hook, self.hook_names, n=1)
                raise PluginError(f"unknown hook '{hook}'" + (f" (did you mean '{close[0]}'?)" if close else ""))
            if inspect.iscoroutinefunction(implementation.function):
                raise PluginError(f"hook {hook} is async; hooks are plain functions that return an object with async methods")

    def _declare(self, name: str) -> Capabilities:
        declare = next((impl for hook, impl in self._implementations(name) if hook == "declare_capabilities"), None)
        if declare is None:
            raise PluginError("has no declare_capabilities hook")
        try:
            capabilities = declare.function()
        except (Exception, SystemExit) as error:
            raise PluginError(f"failed in declare_capabilities: {describe(error)}") from error
        if not isinstance(capabilities, Capabilities):
            raise PluginError(f"declare_capabilities returned {type(capabilities).__name__}, not Capabilities")
        return capabilities

    def _check_offers(self, name: str, capabilities: Capabilities) -> None:
        if capabilities.api_version != API_VERSION:
            older = capabilities.api_version < API_VERSION
            remedy = "upgrade the plugin" if older else "upgrade corral"
            raise PluginError(f"is written for plugin API {capabilities.api_version}; this corral speaks {API_VERSION} ({remedy})")
        hooks = self._hooks(name)
        for kind, names in offered_names(capabilities).items():
            if names and HOOK_OF[kind] not in hooks:
                raise PluginError(f"offers {kind} '{names[0]}' but has no {HOOK_OF[kind]} hook")
        if (backends := tuple(capabilities.device_backends)) and "discover_devices" not in hooks:
            raise PluginError(f"offers device backend '{backends[0]}' but has no discover_devices hook")


def _import(candidate: Candidate) -> object:
    """Import a plugin; what it prints goes nowhere, because our own output may be JSON."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return candidate.load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"failed to import: {describe(error)}") from error


def _report(candidate: Candidate, status: Status, **details: Any) -> PluginReport:
    return PluginReport(
        name=candidate.name,
        distribution=candidate.distribution,
        version=candidate.version,
        location=candidate.location,
        status=status,
        **details,
    )
