"""Everything a person can set, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from corral.errors import InvalidInput


def _home() -> Path:
    try:
        return Path.home() / ".corral"
    except RuntimeError as error:
        # A user id that has no entry among the users, as containers and services run with.
        raise InvalidInput("this user has no home folder; say in CORRAL_HOME where to keep models and keys") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a person can set; a flag wins over `CORRAL_X`, that over `OLLAMA_X`, that over the default."""

    #: Where to listen, or where the server is: host:port, or a URL when there is more to say than that.
    host: str = "127.0.0.1:11434"
    home: Path = field(default_factory=_home)
    models: Path = field(default_factory=lambda: _home() / "models")
    #: Seconds an idle model stays loaded; inf is for ever.
    keep_alive_s: float = 300.0
    #: Sequences at once per model; 0 is automatic.
    num_parallel: int = 0
    #: Tokens per sequence; 0 is automatic.
    context_length: int = 0
    #: 0 is automatic.
    max_loaded_models: int = 0
    #: Requests that may wait for a model.
    max_queue: int = 512
    #: Seconds without progress after which a load has failed; inf waits for ever.
    load_timeout_s: float = 300.0
    #: Seconds without a step of work after which a runner with requests is taken for hung; inf waits for ever.
    stall_timeout_s: float = 600.0
    #: Seconds to wait for memory of a stopped runner to come back.
    recovery_timeout_s: float = 5.0
    #: Seconds a device probe may take.
    probe_timeout_s: float = 30.0
    #: Extra allowed origins.
    origins: tuple[str, ...] = ()
    #: What `-p` would say: names to select, `no:NAME` to drop.
    plugins: tuple[str, ...] = ()
    strict_plugins: bool = False
    #: debug, info, warning or error.
    log: str = "info"
    #: Bytes to leave free on each GPU.
    gpu_overhead_bytes: int = 0
    #: Spread a model over all GPUs instead of the fewest.
    spread: bool = False
    flash_attention: bool | None = None
    kv_cache_type: str = "f16"
    #: Whether blobs that no model needs are left alone.
    no_prune: bool = False
    max_body_bytes: int = 256 * 1024 * 1024
    #: Further names by which the server may be called (`Host`), for example behind a proxy.
    hosts: tuple[str, ...] = ()
    #: Whether it may listen beyond this machine without keys.
    unsafe_bind: bool = False
    #: PEM files; both or none.
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    #: Requests a minute that one key, or one address without keys, may make; 0 is no limit.
    rate_limit: int = 0
    #: Seconds that answers may take to finish when the server stops.
    drain_timeout_s: float = 30.0
    #: Where requests are written so that `corral replay` can send them again; None is nowhere.
    request_log: Path | None = None
    #: Whether logs are lines of JSON.
    log_json: bool = False

    @property
    def address(self) -> tuple[str, int]:
        """Return the host and port to listen on."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", 11434 if parts.port is None else parts.port

    @property
    def url(self) -> str:
        """Return the address as a URL without a slash at the end."""
        return (self.host if "://" in self.host else f"http://{self.host}").rstrip("/")
