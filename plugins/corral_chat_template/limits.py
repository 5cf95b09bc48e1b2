"""Say how much one render may use; real templates need under 10 ms and a few MiB."""

from __future__ import annotations

from typing import Final

#: CPU time of one render, in seconds.
CPU_S: Final = 1.0

#: Wall time after which the process is killed even if it does not react, in seconds.
WALL_S: Final = 10.0

#: Address space of the process.
MEMORY_BYTES: Final = 1 << 30

#: Output of one render beyond twice its input.
OUTPUT_CHARS: Final = 16 << 20

#: Bytes of one message between the processes.
MESSAGE_BYTES: Final = 512 << 20

#: CPU time after which an idle-looking process is taken for lost, on top of `WALL_S`.
GRACE_S: Final = 5.0

#: Templates whose children are kept; one takes 13 MiB of memory and 0.12 s to start.
CHILDREN: Final = 4
