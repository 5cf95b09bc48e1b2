"""A child process that follows the script named on its command line; the tests of `corral.workers` start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import msgspec

from corral.workers.child import Channel, attach
from corral.workers.frames import Failure, Progress, Ready, Working, encode

if TYPE_CHECKING:
    from collections.abc import Callable


class Say(msgspec.Struct, tag="say"):
    text: str
    times: int = 1


class Do(msgspec.Struct, tag="do"):
    what: str


class Said(msgspec.Struct, tag="said"):
    text: str


Line = Channel[Say | Do]


def echo(line: Line) -> None:
    line.send(Ready({"pid": os.getpid()}))
    while (request := line.receive()) is not None:
        match request:
            case Say(text, times):
                for _ in range(times):
                    line.send(Said(text))
            case Do(what):
                DEEDS[what](line)


def step(line: Line) -> None:
    line.send(Working())
    line.send(Said("one step more"))


def wait_for_ever(line: Line) -> None:
    threading.Event().wait()


def start_grandchild(line: Line) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    line.send(Said(str(child.pid)))


def signal_self(number: signal.Signals) -> Callable[[Line], None]:
    return lambda line: os.kill(os.getpid(), number)


def write(text: str) -> None:
    os.write(2, text.encode())


def fail(line: Line) -> None:
    write("llama_model_load: error: invalid magic\n")
    line.send(Failure("the file is no model"))
    sys.exit(1)


def fail_and_get_ready(line: Line) -> None:
    line.send(Failure("the file is no model"))
    line.send(Ready())
    line.send(Said("ready all the same"))
    wait_for_ever(line)


def dribble(line: Line) -> None:
    for byte in encode(Ready({"pid": 7})):
        line._line.sendall(bytes([byte]))
    wait_for_ever(line)


def warn_and_be_killed(line: Line) -> None:
    write("llama_context: n_ctx_seq (16384) > n_ctx_train (8192) -- possible training context overflow\n")
    os.kill(os.getpid(), signal.SIGKILL)


def exit_early(line: Line) -> None:
    os._exit(0)


def out_of_memory(line: Line) -> None:
    write("ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory\n")
    os._exit(1)


def recover(line: Line) -> None:
    write("ggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 99\n")
    write("sched_reserve: compute buffer allocation failed, retrying without pipeline parallelism\n")
    echo(line)


def progress_for_ever(line: Line) -> None:
    # Each step waits for a request, so that the test is the clock.
    line.send(Progress(0.0))
    step = 0
    while line.receive() is not None:
        step += 1
        line.send(Progress(step / 100))


def chatter(line: Line) -> None:
    while True:
        write(".")


def flood(line: Line) -> None:
    for number in range(200_000):
        write(f"line {number} of a flood on standard error\n")
    echo(line)


def huge_frame(line: Line) -> None:
    line._line.sendall(b"\xff\xff\xff\xff" + b"x" * 1000)
    wait_for_ever(line)


def garbage(line: Line) -> None:
    line._line.sendall(b"\x00\x00\x00\x05hello")
    wait_for_ever(line)


def half_a_frame(line: Line) -> None:
    line._line.sendall(b"\x00\x00\x01\x00half")
    os._exit(3)


def stay_when_told_to_go(line: Line) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    line.send(Ready({"pid": os.getpid()}))
    wait_for_ever(line)


def never_read(line: Line) -> None:
    line.send(Ready())
    wait_for_ever(line)


def stop_self(line: Line) -> None:
    line.send(Ready({"pid": os.getpid()}))
    os.kill(os.getpid(), signal.SIGSTOP)


def leave_grandchild_and_exit(line: Line) -> None:
    start_grandchild(line)
    os._exit(0)


def show_environment(line: Line) -> None:
    line.send(Ready(dict(os.environ)))
    wait_for_ever(line)


DEEDS: dict[str, Callable[[Line], None]] = {
    "chatter": chatter,
    "die": lambda line: os._exit(7),
    "dribble": dribble,
    "echo": echo,
    "exit_early": exit_early,
    "fail": fail,
    "fail_and_get_ready": fail_and_get_ready,
    "flood": flood,
    "garbage": garbage,
    "grandchild": start_grandchild,
    "half_a_frame": half_a_frame,
    "huge_frame": huge_frame,
    "leave_grandchild_and_exit": leave_grandchild_and_exit,
    "never_read": never_read,
    "out_of_memory": out_of_memory,
    "progress_for_ever": progress_for_ever,
    "recover": recover,
    "show_environment": show_environment,
    "sigabrt": signal_self(signal.SIGABRT),
    "warn_and_be_killed": warn_and_be_killed,
    "sigkill": signal_self(signal.SIGKILL),
    "sigsegv": signal_self(signal.SIGSEGV),
    "stay_when_told_to_go": stay_when_told_to_go,
    "step": step,
    "stop_self": stop_self,
    "wait_for_ever": wait_for_ever,
}

if __name__ == "__main__":
    DEEDS[sys.argv[1]](attach((Say, Do)))
