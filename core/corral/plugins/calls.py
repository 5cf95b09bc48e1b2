"""Call a hook of one owner, past the wrappers of all others, and name the plugin that fails."""

from __future__ import annotations

import inspect
from time import perf_counter
from typing import TYPE_CHECKING, Any

from corral.errors import CorralError, PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

    from pluggy import HookCaller, HookImpl

    from corral.plugins.candidates import Candidate
    from corral.plugins.report import HookTimes


class Call:
    """A hook narrowed to one owner; other plugins take part only as wrappers or as observers that return None."""

    __slots__ = ("_caller", "_candidates", "_hook", "_owner", "_times", "_wanted")

    def __init__(
        self, caller: HookCaller, owner: Candidate, candidates: Mapping[str, Candidate], wanted: tuple[str, ...], times: HookTimes
    ) -> None:
        self._caller = caller
        self._times = times
        self._hook = caller.name
        self._owner = owner
        self._candidates = candidates
        self._wanted = wanted

    def __call__(self, **arguments: object) -> Any:
        """Return the hook's result; a failure that is not a CorralError becomes a PluginError naming the plugin."""
        started = perf_counter()
        try:
            result = self._caller(**arguments)
        except CorralError:
            raise
        # A plugin that wants to end the process must not: it serves others.
        except (Exception, SystemExit) as error:
            self._times.failures += 1
            raise failure(self._culprit(error), self._hook, error) from error
        finally:
            self._times.calls += 1
            self._times.seconds += perf_counter() - started
        if not all(hasattr(result, name) for name in self._wanted):
            raise self._wrong_result(result)
        return result

    def _culprit(self, error: BaseException) -> Candidate:
        """Find whose code raised: the innermost frame that belongs to an implementation of this hook."""
        owners = {_code(impl): self._candidates[impl.plugin_name] for impl in self._caller.get_hookimpls()}
        culprit, trace = self._owner, error.__traceback__
        while trace:
            culprit = owners.get(trace.tb_frame.f_code, culprit)
            trace = trace.tb_next
        return culprit

    def _wrong_result(self, result: object) -> PluginError:
        if inspect.iscoroutine(result):
            result.close()
        missing = ", ".join(name for name in self._wanted if not hasattr(result, name))
        return PluginError(f"{self._owner.title} returned {type(result).__name__} from {self._hook}: it has no {missing}")


def failure(culprit: Candidate, hook: str, error: BaseException) -> PluginError:
    """Say which plugin failed where, and how to go on without it."""
    return PluginError(f"{culprit.title} failed in {hook}: {describe(error)} (to go on without it: -p no:{culprit.name})")


def _code(impl: HookImpl) -> CodeType | None:
    return getattr(inspect.unwrap(impl.function), "__code__", None)


def describe(error: BaseException) -> str:
    """Return an error's type and its first line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
