"""How soon corral is there, and how much memory it takes beside the C++ server with the same context.

python bench/startup.py MODEL.gguf [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from time import perf_counter

from asking import user_chat
from servers import Setup, arguments, corral, peer
from tables import Table

MIB = 1024 * 1024


def help_s() -> float:
    started = perf_counter()
    subprocess.run([sys.executable, "-m", "corral", "--help"], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


def measure(options: object) -> None:
    table = Table("start and memory")
    setup = Setup(options.model, threads=options.threads)
    table.note("corral --help (best)", f"{min(help_s() for _ in range(options.pairs)):.3f} s")
    ready, firsts, memory = ([], []), ([], []), ([], [])
    idle = []
    for _ in range(options.pairs):
        for index, start in enumerate((corral, peer)):
            with start(setup) as server:
                ready[index].append(server.started_s)
                idle.append(server.resident_bytes()["server"] / MIB) if start is corral else None
                firsts[index].append(asyncio.run(user_chat(server, "Say hello.", 4)).first_s)
                used = server.resident_bytes()
                memory[index].append(used.get("runner", used["server"]) / MIB)
    table.note("corral's server, idle (median)", f"{sorted(idle)[len(idle) // 2]:.0f} MiB")
    table.add("server answers (the peer has loaded its model)", *ready, more_is_better=False, unit="s")
    table.add("first token of the first request (with load)", *firsts, more_is_better=False, unit="s")
    table.add("memory of the process with the model", *memory, more_is_better=False, unit="MiB")
    table.write(options)


if __name__ == "__main__":
    measure(arguments(__doc__ or "").parse_args())
