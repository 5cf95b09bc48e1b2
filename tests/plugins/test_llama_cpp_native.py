"""What surrounds the library in the llama.cpp runner's process, as far as it needs no model."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.conversation import Segment, SegmentKind
from corral_llama_cpp.engine.runs import Special, Splitter
from corral_llama_cpp.engine.threads import Crowd, thread_count
from corral_llama_cpp.native.buffers import buffer_size
from corral_llama_cpp.native.cores import Cores
from corral_llama_cpp.native.shortlist import top_ids

if TYPE_CHECKING:
    from pathlib import Path

START, END = Special(1), Special(2, strips_right=True)
THINK = Special(3, is_defined=True)
BREAK = Special(4, is_defined=True)
SPLITTER = Splitter({"<s>": START, "<e>": END, "<think>": THINK, "\n\n": BREAK})


def control(text: str) -> Segment:
    return Segment(text)


def user(text: str) -> Segment:
    return Segment(text, SegmentKind.USER)


@pytest.mark.parametrize(
    ("segments", "runs"),
    [
        ([control("<s>user")], [START, "user"]),
        ([control("<s>"), user("<s>hi<e>")], [START, "<s>hi<e>"]),
        ([control("Question: wh"), user("at?"), control(" <e>\n")], ["Question: what? ", END]),
        ([control("<e>  x")], [END, "x"]),
        ([control("<think>")], [THINK]),
        ([user("a<think>b")], ["a<", "think>b"]),
        ([user("<th"), user("ink>")], ["<", "think>"]),
        ([control("<th"), control("ink>")], [THINK]),
        ([control("<"), user("think>")], ["<", "think>"]),
        ([user("a\n\nb")], ["a\n\nb"]),
        ([user(""), control("")], []),
    ],
)
def test_only_control_text_becomes_a_special_token(segments, runs):
    assert SPLITTER.split(segments) == runs


@given(st.lists(st.builds(Segment, st.text("<s>ethinkab\n", max_size=12), st.sampled_from([SegmentKind.CONTROL, SegmentKind.USER]))))
def test_no_letter_of_a_prompt_is_lost(segments):
    splitter = Splitter({"<s>": START, "<think>": THINK})
    texts = {1: "<s>", 3: "<think>"}
    runs = splitter.split(segments)
    assert "".join(texts[run.id] if isinstance(run, Special) else run for run in runs) == "".join(s.text for s in segments)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("load_tensors:   CPU_Mapped model buffer size =    92.10 MiB", ("CPU", 96573849)),
        ("load_tensors:        CUDA0 model buffer size =  1024.00 MiB", ("CUDA0", 1073741824)),
        ("llama_kv_cache:      CUDA0 KV buffer size =   180.00 MiB", ("CUDA0", 188743680)),
        ("llama_context:  CUDA_Host  output buffer size =     0.19 MiB", ("CPU", 199229)),
        ("sched_reserve:      Vulkan1 compute buffer size =    98.25 MiB", ("Vulkan1", 103022592)),
        ("load_tensors:  MTL0_Mapped model buffer size =    92.10 MiB", ("MTL0", 96573849)),
        ("print_info: n_layer = 30", None),
    ],
)
def test_the_load_log_tells_what_was_taken_where(line, found):
    assert buffer_size(line) == found


@given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=600), st.integers(1, 50))
def test_the_shortlist_has_the_most_likely_tokens(values, count):
    logits = np.array(values, np.float32)
    ids = top_ids(logits, count)
    assert list(ids) == sorted(set(ids))
    assert sorted(logits[ids])[-count:] == sorted(values)[-count:]


@pytest.mark.parametrize(
    ("most", "cores", "runners", "others", "threads"),
    [
        (2, 2, 1, 0.0, 2),
        (2, 2, 2, 1.0, 1),
        (2, 2, 1, 0.2, 2),
        (2, 2, 1, 0.9, 1),
        (2, 2, 5, 7.0, 1),
        (4, 8, 1, 0.0, 4),
        (8, 8, 2, 4.0, 4),
        (32, 64, 1, 10.0, 32),
    ],
)
def test_threads_leave_cores_to_others(most, cores, runners, others, threads):
    assert thread_count(most=most, cores=cores, runners=runners, others=others) == threads


def books(busy_ticks: int) -> str:
    """Return the kernel's books where each core has been busy for that long, and idle for longer."""
    return "cpu  9 9 9 9 9 9 9 9 0 0\n" + "".join(f"cpu{n} {busy_ticks} 0 0 99999 7 0 0 0 0 0\n" for n in sorted(os.sched_getaffinity(0)))


def test_the_crowd_is_what_the_kernel_counts_without_our_own(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 10.0, 10.1])
    monkeypatch.setattr("corral_llama_cpp.engine.threads.perf_counter", lambda: next(clock))
    own = iter([0.0, 2.0 * len(os.sched_getaffinity(0))])
    monkeypatch.setattr("corral_llama_cpp.engine.threads.process_time", lambda: next(own))
    stat = tmp_path / "stat"
    stat.write_text(books(0))
    crowd = Crowd(stat)
    stat.write_text(books(5 * os.sysconf("SC_CLK_TCK")))
    crowd.look()
    assert crowd.others == pytest.approx(0.3 * len(os.sched_getaffinity(0)))

    stat.write_text(books(500 * os.sysconf("SC_CLK_TCK")))
    crowd.look()
    assert crowd.others == pytest.approx(0.3 * len(os.sched_getaffinity(0))), "too soon to count again"


def test_who_was_there_while_a_runner_did_nothing_does_not_count(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 11.0, 11.0])
    monkeypatch.setattr("corral_llama_cpp.engine.threads.perf_counter", lambda: next(clock))
    stat = tmp_path / "stat"
    stat.write_text(books(0))
    crowd = Crowd(stat)
    stat.write_text(books(1000))
    crowd.begin()
    crowd.look()
    assert crowd.others == 0


def test_nobody_is_seen_where_the_system_does_not_count(tmp_path):
    crowd = Crowd(tmp_path / "none")
    crowd.begin()
    crowd.look()
    assert crowd.others == 0


COUNT = """
import sys
from corral_llama_cpp.native.cores import Cores
cores = Cores(sys.argv[1])
with cores.busy():
    print(cores.count_busy(), flush=True)
    sys.stdin.readline()
"""


def neighbour(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COUNT, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    return process


def test_busy_runners_count_each_other_and_forget_the_dead(tmp_path):
    path = tmp_path / "run" / "busy"
    with neighbour(path) as polite, neighbour(path) as killed:
        ours = Cores(str(path))
        with ours.busy():
            assert ours.count_busy() == 3
            polite.communicate("\n")
            assert ours.count_busy() == 2
            killed.kill()
            killed.wait()
        later = Cores(str(path))
        with later.busy():
            assert later.count_busy() == 1


def test_without_a_file_a_runner_is_alone():
    cores = Cores("")
    with cores.busy():
        assert cores.count_busy() == 1


def test_a_runner_whose_file_can_not_be_made_is_alone_and_says_so(tmp_path, capsys):
    (tmp_path / "run").write_text("no folder")

    cores = Cores(str(tmp_path / "run" / "busy"))
    with cores.busy():
        assert cores.count_busy() == 1

    assert "busy runners can't be counted" in capsys.readouterr().err


def test_the_servers_side_never_imports_the_library():
    """The library starts backends at import; that belongs into the child."""
    code = "import corral_llama_cpp, corral_llama_cpp.runner, sys; sys.exit('llama_cpp' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ}).returncode == 0
