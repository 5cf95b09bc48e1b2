"""Gather the settings from flags and environment, and tell where each came from."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from corral.errors import InvalidInput
from corral.settings import reading
from corral.settings.values import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One thing that can be set: the field, how its text is read, and its names in the environment."""

    field: str
    read: Callable[[str], object]
    variable: str
    summary: str
    #: Ollama's variable of the same meaning; empty when it has none.
    ollama: str = ""


def _both(field: str, read: Callable[[str], object], name: str, summary: str) -> Known:
    return Known(field=field, read=read, variable=f"CORRAL_{name}", ollama=f"OLLAMA_{name}", summary=summary)


def _ours(field: str, read: Callable[[str], object], name: str, summary: str) -> Known:
    return Known(field=field, read=read, variable=f"CORRAL_{name}", summary=summary)


def _debug_level(text: str) -> str:
    """Read OLLAMA_DEBUG, which is a yes or a number of how much."""
    return "info" if text in ("0", "false") else "debug"


_LOG = reading.one_of("debug", "info", "warning", "error")

KNOWN: tuple[Known, ...] = (
    _both("host", reading.host, "HOST", "where to listen, or where the server is"),
    _ours("home", reading.folder, "HOME", "folder of everything corral keeps"),
    _both("models", reading.folder, "MODELS", "folder of the models; an existing store of Ollama will do"),
    _both("keep_alive_s", reading.parse_keep_alive, "KEEP_ALIVE", "how long an idle model stays loaded; negative is for ever"),
    _both("num_parallel", reading.count, "NUM_PARALLEL", "sequences at once per model; 0 is automatic"),
    _both("context_length", reading.count, "CONTEXT_LENGTH", "tokens per sequence; 0 is automatic"),
    _both("max_loaded_models", reading.count, "MAX_LOADED_MODELS", "models loaded at once; 0 is automatic"),
    _both("max_queue", reading.count, "MAX_QUEUE", "requests that may wait for a model"),
    _both("load_timeout_s", reading.stall_limit, "LOAD_TIMEOUT", "time without progress after which a load has failed"),
    _ours("stall_timeout_s", reading.stall_limit, "STALL_TIMEOUT", "time without progress after which a busy runner is ended; 0 is never"),
    _ours("recovery_timeout_s", reading.positive_seconds, "RECOVERY_TIMEOUT", "wait for the memory of a stopped runner"),
    _ours("probe_timeout_s", reading.positive_seconds, "PROBE_TIMEOUT", "how long a device probe may take"),
    _both("origins", reading.words, "ORIGINS", "extra origins that browsers may call from, separated by commas"),
    _ours("plugins", reading.words, "PLUGINS", "plugins to select, or to drop with no:NAME, separated by commas"),
    _ours("strict_plugins", reading.boolean, "STRICT_PLUGINS", "whether a broken plugin is an error"),
    Known(field="log", read=_LOG, variable="CORRAL_LOG", ollama="OLLAMA_DEBUG", summary="debug, info, warning or error"),
    _both("gpu_overhead_bytes", reading.size, "GPU_OVERHEAD", "memory to leave free on each GPU"),
    _both("spread", reading.boolean, "SCHED_SPREAD", "spread a model over all GPUs instead of the fewest"),
    _both("flash_attention", reading.boolean_or_auto, "FLASH_ATTENTION", "force flash attention on or off; auto decides"),
    _both("kv_cache_type", reading.one_of("f16", "q8_0", "q4_0"), "KV_CACHE_TYPE", "f16, q8_0 or q4_0"),
    _both("no_prune", reading.boolean, "NOPRUNE", "leave blobs alone that no model needs"),
    _ours("max_body_bytes", reading.size, "MAX_BODY", "the largest request body"),
    _ours("hosts", reading.words, "HOSTS", "further names by which the server may be called, separated by commas"),
    _ours("unsafe_bind", reading.boolean, "UNSAFE_BIND", "listen beyond this machine even without keys"),
    _ours("tls_certificate", reading.folder, "TLS_CERTIFICATE", "PEM file of the certificate; makes the server speak HTTPS"),
    _ours("tls_key", reading.folder, "TLS_KEY", "PEM file of the certificate's key"),
    _ours("rate_limit", reading.count, "RATE_LIMIT", "requests a minute of one key or address; 0 is no limit"),
    _ours("drain_timeout_s", reading.positive_seconds, "DRAIN_TIMEOUT", "how long answers may take to finish when the server stops"),
    _ours("request_log", reading.folder, "REQUEST_LOG", "file to write requests to, for corral replay"),
    _ours("log_json", reading.boolean, "LOG_JSON", "write logs as lines of JSON"),
)


#: Variables that are read elsewhere because their values are secret and not to be shown.
SECRETS = frozenset({"CORRAL_API_KEY"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting in force: its value, and what gave it (`--host`, `CORRAL_HOST`, `OLLAMA_HOST` or `default`)."""

    field: str
    variable: str
    value: object
    origin: str
    summary: str


def load_settings(flags: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """Return the settings: flag > CORRAL_X > OLLAMA_X > default. Raises InvalidInput naming the one that is wrong."""
    return Settings(**_gather(flags, environ)[0])  # type: ignore[arg-type]


def explain(flags: Mapping[str, str], environ: Mapping[str, str]) -> list[Setting]:
    """Return every setting with its value and where that came from."""
    values, origins = _gather(flags, environ)
    settings = Settings(**values)  # type: ignore[arg-type]
    return [
        Setting(
            field=known.field,
            variable=known.variable,
            value=getattr(settings, known.field),
            origin=origins.get(known.field, "default"),
            summary=known.summary,
        )
        for known in KNOWN
    ]


def _gather(flags: Mapping[str, str], environ: Mapping[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for known in KNOWN:
        for origin, read, text in _given(known, flags, environ):
            values[known.field] = _read(origin, read, text)
            origins[known.field] = origin
            break
    if "home" in values and "models" not in values:
        values["models"] = reading.folder(str(values["home"])) / "models"
        origins["models"] = origins["home"]
    return values, origins


def _given(known: Known, flags: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[tuple[str, Callable[[str], object], str]]:
    """Yield the texts that were given for a setting, the strongest one first."""
    if known.field in flags:
        yield f"--{known.field.removesuffix('_s').replace('_', '-')}", known.read, flags[known.field]
    for variable in filter(None, (known.variable, known.ollama)):
        if text := reading.clean(environ.get(variable, "")):
            yield variable, _debug_level if variable == "OLLAMA_DEBUG" else known.read, text


def _read(origin: str, read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except ValueError as error:
        raise InvalidInput(f"{origin}: '{text}' is {error}") from error


def surprises(environ: Mapping[str, str], of_plugins: Iterable[str] = ()) -> list[str]:
    """Return what somebody may have meant otherwise: unknown CORRAL_ variables, and pairs that contradict each other."""
    variables = {known.variable for known in KNOWN} | SECRETS | {*of_plugins}
    found = [_unknown(name, variables) for name in sorted(environ) if name.startswith("CORRAL_") and name not in variables]
    for known in KNOWN:
        ours, theirs = (reading.clean(environ.get(name, "")) for name in (known.variable, known.ollama))
        if ours and theirs and ours != theirs and known.variable != "CORRAL_LOG":
            found.append(f"{known.variable}={ours} wins over {known.ollama}={theirs}")
    return found


def _unknown(name: str, variables: set[str]) -> str:
    close = get_close_matches(name, variables, n=1)
    return f"{name} is not a setting" + (f" (did you mean {close[0]}?)" if close else "")
