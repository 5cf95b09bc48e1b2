"""Prove that frames survive any cut, and that output gives up its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.workers.frames import BadFrame, Failure, FrameSplitter, Progress, Ready, decoder, encode
from corral.workers.leaving import describe_exit
from corral.workers.output import OutputLog, is_out_of_memory

if TYPE_CHECKING:
    import msgspec

MESSAGES = st.one_of(
    st.builds(Progress, st.floats(0, 1)),
    st.builds(Ready, st.dictionaries(st.text(), st.integers(-(2**63), 2**63))),
    st.builds(Failure, st.text(), st.booleans()),
)


@settings(max_examples=60, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=8), cut=st.integers(1, 50))
def test_messages_survive_any_cut_of_their_bytes(messages: list[msgspec.Struct], cut: int) -> None:
    """F42, F46."""
    stream = b"".join(encode(message) for message in messages)
    splitter = FrameSplitter()
    bodies = [body for start in range(0, len(stream), cut) for body in splitter.feed(stream[start : start + cut])]

    assert [decoder((Progress, Ready, Failure)).decode(body) for body in bodies] == messages


def test_a_length_out_of_bounds_is_refused_before_the_bytes_come() -> None:
    """F43."""
    with pytest.raises(BadFrame, match="a frame of 11 bytes, where 10 is the limit"):
        FrameSplitter(max_bytes=10).feed(b"\0\0\0\x0b")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200), cut=st.integers(1, 20))
def test_garbage_is_a_bad_frame_or_waits_for_more(data: bytes, cut: int) -> None:
    splitter = FrameSplitter(max_bytes=100)
    try:
        bodies = [body for start in range(0, len(data), cut) for body in splitter.feed(data[start : start + cut])]
    except BadFrame:
        return
    assert sum(len(body) + 4 for body in bodies) <= len(data)


ERRORS = [
    "error: unknown argument",
    "CUDA error: no kernel image is available for execution on the device",
    "ROCm error: invalid device function",
    "ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory",
    "GGML_ASSERT(n_tokens <= n_batch) failed",
    "/src/ggml/src/ggml-rpc/ggml-rpc.cpp:35: Remote RPC server crashed or returned malformed response",
    "llama_model_load: error loading model: missing tensor 'token_embd.weight'",
    "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "Fatal Python error: Segmentation fault",
    "ModuleNotFoundError: No module named 'llama_cpp'",
]


@pytest.mark.parametrize("line", ERRORS)
@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_the_last_error_is_found_however_it_arrives(line: str, cut: int) -> None:
    text = f"load_tensors: loading\n{line}\nload_tensors: done with 12 tensors\n".encode()
    log = OutputLog()
    for start in range(0, len(text), cut):
        log.feed(text[start : start + cut])

    assert log.last_error == line


@pytest.mark.parametrize("line", ["load_tensors: offloaded 30/31 layers", "print_info: n_ctx = 4096", "", "no errors here"])
def test_ordinary_output_is_no_error(line: str) -> None:
    log = OutputLog()
    log.feed(f"{line}\n".encode())

    assert log.last_error == ""


@pytest.mark.parametrize(
    "text",
    [
        "CUDA out of memory", "ErrorOutOfDeviceMemory", "hipMalloc failed", "failed to allocate buffer", "insufficient memory",
        "MemoryError", "vk::Device::allocateMemory: ErrorOutOfHostMemory", "not enough memory", "memory allocation failed",
    ],
)  # fmt: skip
def test_every_way_to_say_that_memory_ran_out_is_understood(text: str) -> None:
    assert is_out_of_memory(text)


def test_the_newest_errors_are_kept_and_an_unfinished_line_counts() -> None:
    log = OutputLog()
    for number in range(1000):
        log.feed(f"error: number {number}\n".encode())
    log.feed(b"error: the last one" + b"!" * 10_000)
    log.close()

    assert log.last_error.startswith("error: number 997; error: number 998; error: number 999; error: the last one!!!")
    assert len(log.last_error) < 600


def test_that_memory_ran_out_is_not_forgotten_when_more_errors_follow() -> None:
    log = OutputLog()
    log.feed(b"cudaMalloc failed: out of memory\n" + b"error: and so on\n" * 10)

    assert "memory" not in log.last_error
    assert log.out_of_memory


def test_a_recovery_forgives_what_went_before() -> None:
    log = OutputLog()
    log.feed(b"failed to allocate CUDA0 buffer\ncompute buffer allocation failed, retrying without pipeline parallelism\n")

    assert (log.last_error, log.out_of_memory) == ("", False)


def test_a_line_without_an_end_is_bounded() -> None:
    log = OutputLog()
    for _ in range(100):
        log.feed(b"." * 10_000)

    assert len(log.text) <= 64 * 1024
    assert len(log._line) <= 8 * 1024


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exited with code 0"), (-9, "was killed by SIGKILL"), (-15, "was killed by SIGTERM"), (-200, "was killed by signal 200")],
)
def test_an_exit_is_put_in_words(code: int, words: str) -> None:
    assert describe_exit(code).startswith(words)
