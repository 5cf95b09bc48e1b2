"""What a child wrote to stdout and stderr: the end of it, and the last thing that was an error."""

from __future__ import annotations

import re
from collections import deque

#: Bytes of output that are kept, and of one line that are looked at; lines of errors that are kept, and their length.
RING_BYTES = 64 * 1024
_LINE_BYTES = 8 * 1024
_ERROR_LINES = 4
_ERROR_CHARACTERS = 500

_OUT_OF_MEMORY = re.compile(
    r"out of (?:device |host )?memory|(?:cuda|hip)Malloc\w* failed|failed to allocate|allocation failed"
    r"|not enough memory|insufficient memory|cannot allocate memory|ErrorOutOf(?:Device|Host|Pool)Memory|MemoryError|std::bad_alloc",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\berror:|(?:CUDA|ROCm|HIP|Vulkan|Metal) error|GGML_ASSERT|error loading model|failed to|terminate called|Fatal Python error"
    # The place in its source that ggml aborts at: "ggml-rpc.cpp:547: Failed to connect".
    r"|\.(?:c|cc|cpp|cu|cuh|h|hpp|m|mm|metal):\d+: "
    r"|Segmentation fault|^\w*(?:Error|Exception)\b|^[\w.]+(?:Error|Exception): ",
    re.IGNORECASE,
)
#: llama.cpp tries again by itself after this one, so what went before was no failure.
_RECOVERED = re.compile(r"retrying without pipeline parallelism", re.IGNORECASE)


def is_out_of_memory(text: str) -> bool:
    """Return whether a message says that memory ran out."""
    return bool(_OUT_OF_MEMORY.search(text))


class OutputLog:
    """Keep the last 64 KiB of a child's output, and the errors seen in it since it was last well."""

    def __init__(self) -> None:
        self._ring = bytearray()
        self._line = bytearray()
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)
        self._ran_out = False

    def feed(self, data: bytes) -> None:
        """Take in what the child wrote; a chunk may end anywhere."""
        self._ring += data
        if len(self._ring) > 2 * RING_BYTES:
            del self._ring[:-RING_BYTES]
        *ended, rest = (bytes(self._line) + data).split(b"\n")
        for line in ended:
            self._look_at(line)
        self._line[:] = rest[:_LINE_BYTES]

    def close(self) -> None:
        """Look at a last line that has no end."""
        self._look_at(bytes(self._line))
        self._line.clear()

    def forgive(self) -> None:
        """Forget the errors: the child recovered from them."""
        self._errors.clear()
        self._ran_out = False

    @property
    def text(self) -> str:
        """Return the kept output."""
        return self._ring[-RING_BYTES:].decode(errors="replace")

    @property
    def last_error(self) -> str:
        """Return the newest errors since the last recovery, in one line; empty when there were none."""
        return "; ".join(self._errors)

    @property
    def out_of_memory(self) -> bool:
        """Return whether one of the errors since the last recovery was about memory."""
        return self._ran_out

    @property
    def last_line(self) -> str:
        """Return the last line that says anything."""
        return next((line.strip() for line in reversed(self.text.splitlines()) if line.strip()), "")

    def _look_at(self, raw: bytes) -> None:
        line = raw[:_LINE_BYTES].decode(errors="replace").strip()
        if _RECOVERED.search(line):
            self.forgive()
            return
        is_about_memory = is_out_of_memory(line)
        if is_about_memory or _ERROR.search(line):
            self._ran_out |= is_about_memory
            self._errors.append(line[:_ERROR_CHARACTERS])
