"""Turn the text of a setting into its value; every function raises ValueError saying what was wanted."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_PORT = 11434
_SCHEME_PORTS = {"http": 80, "https": 443}

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_TERM = re.compile(rf"({_NUMBER})(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(rf"[+-]?(?:{_TERM.pattern})+")

_SIZES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(rf"({_NUMBER})\s*([KMGT]?)(?:iB|B)?", re.IGNORECASE)

_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})


def clean(text: str) -> str:
    """Take away the spaces around a value, and then the quotes, as service files leave them."""
    return text.strip().strip("\"'")


def parse_duration(text: str) -> float:
    """Return the seconds of a Go duration (`1h30m`, `300ms`) or of a plain number; raise ValueError for anything else."""
    if re.fullmatch(rf"[+-]?{_NUMBER}", text):
        return float(text)
    if not _DURATION.fullmatch(text):
        raise ValueError("not a duration such as 90s, 5m or 1h30m")
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _TERM.findall(text))
    return -seconds if text.startswith("-") else seconds


def parse_keep_alive(value: str | float) -> float:
    """Return the seconds to keep a model; a negative duration is for ever. Raises ValueError."""
    seconds = parse_duration(value) if isinstance(value, str) else float(value)
    if math.isnan(seconds):
        raise ValueError("not a duration")
    return math.inf if seconds < 0 else seconds


def stall_limit(text: str) -> float:
    """Return a limit in seconds; zero and less wait for ever."""
    seconds = parse_duration(text)
    return math.inf if seconds <= 0 else seconds


def positive_seconds(text: str) -> float:
    """Return a duration that is more than nothing."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise ValueError("not a duration greater than zero")
    return seconds


def count(text: str) -> int:
    """Return a whole number that is not negative."""
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError("not a whole number")
    return int(text)


def size(text: str) -> int:
    """Return the bytes of `1073741824`, `512MiB` or `2G`; units are powers of 1024."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError("not a size such as 536870912, 512MiB or 2GiB")
    return int(float(match[1]) * _SIZES[match[2].upper()])


def boolean(text: str) -> bool:
    """Return whether a word means yes."""
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("neither yes nor no (1, true, yes, on; 0, false, no, off)")
    return word in _TRUE


def boolean_or_auto(text: str) -> bool | None:
    """Return a yes or no, or None for auto."""
    return None if text.lower() == "auto" else boolean(text)


def folder(text: str) -> Path:
    """Return an absolute path; `~` is the home folder."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("in the home folder of a user who has none") from None


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list that is separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader that accepts these words only."""

    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"not one of {', '.join(choices)}")
        return text.lower()

    return read


def host(text: str) -> str:
    """Return `host:port` of `[scheme://]host[:port][/path]`, or the whole URL when it says more than that.

    A missing port is 11434, or the scheme's own; a missing host is every interface, as Ollama has it.
    """
    scheme, _, rest = text.rpartition("://")
    if scheme not in ("", "http", "https"):
        raise ValueError("not an address with http or https")
    if not scheme and rest.count(":") > 1 and not rest.startswith("["):
        rest = f"[{rest}]"
    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError:
        raise ValueError("not an address such as 127.0.0.1:11434 or http://host:port") from None
    if parts.username or parts.query or parts.fragment:
        raise ValueError("an address has no user, query or fragment")
    name = parts.hostname or "0.0.0.0"  # noqa: S104 -- ":8080" asks for it; serve decides whether it may
    port = _SCHEME_PORTS.get(scheme, DEFAULT_PORT) if port is None else port
    address = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    path = parts.path.rstrip("/")
    return f"{scheme or 'http'}://{address}{path}" if scheme == "https" or path else address
