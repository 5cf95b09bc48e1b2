"""What libllama writes while it loads and works: errors to stderr, sizes of its buffers to us."""

from __future__ import annotations

import sys
from collections import deque

import llama_cpp.llama_cpp as ll

from corral_llama_cpp.native.buffers import buffer_size

#: ggml's levels. The package's own logger is off by one and hides real errors.
_WARN = 3
_CONT = 5


class Log:
    """Keeps the last lines of the library; hold on to it as long as the library is used."""

    def __init__(self) -> None:
        self.buffer_bytes: dict[str, int] = {}
        self._recent: deque[str] = deque(maxlen=50)
        self._partial = ""
        self._level = 0
        # The library keeps a bare pointer, so this object must own the callback.
        self._callback = ll.llama_log_callback(self._write)
        ll.llama_log_set(self._callback, None)

    def last_lines(self, count: int = 3) -> str:
        """Return the last warnings and errors in one line."""
        return "; ".join(list(self._recent)[-count:])

    def _write(self, level: int, data: bytes, _user: object) -> None:
        self._level = self._level if level == _CONT else level
        self._partial += data.decode("utf-8", "replace")
        *lines, self._partial = self._partial.split("\n")
        for line in lines:
            self._take(line)

    def _take(self, line: str) -> None:
        if found := buffer_size(line):
            device, size = found
            self.buffer_bytes[device] = self.buffer_bytes.get(device, 0) + size
        if self._level >= _WARN and line.strip():
            self._recent.append(line.strip())
            sys.stderr.write(f"{line}\n")
