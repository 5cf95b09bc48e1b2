"""Which turns a history loses when it does not fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from corral.conversation import Message, ToolCall
from corral.engine.trimming import droppable_turns, fewest_dropped, turns, without_oldest


def message(role: str, content: str = "x") -> Message:
    calls = (ToolCall(name="f", arguments={}),) if role == "call" else ()
    return Message(role="assistant" if role == "call" else role, content=content, tool_calls=calls)


histories = st.lists(st.sampled_from(["system", "user", "assistant", "call", "tool"]).map(message), min_size=1, max_size=12)


def test_a_call_stays_with_all_its_results() -> None:
    history = [message("user"), message("call"), message("tool"), message("tool"), message("user")]

    assert [len(turn) for turn in turns(history)] == [1, 3, 1]


@given(histories, st.integers(0, 12))
def test_system_messages_and_the_last_turn_stay_whatever_is_dropped(history: list[Message], dropped: int) -> None:
    kept = without_oldest(history, dropped)

    assert [m for m in kept if m.role == "system"] == [m for m in history if m.role == "system"]
    assert kept[-1] == history[-1]


@given(histories, st.integers(0, 12))
def test_dropping_keeps_order_and_removes_whole_turns_only(history: list[Message], dropped: int) -> None:
    kept = turns(without_oldest(history, dropped))

    remaining = iter(turns(history))
    assert all(any(turn == candidate for candidate in remaining) for turn in kept)


@given(histories)
def test_dropping_everything_droppable_leaves_nothing_droppable(history: list[Message]) -> None:
    kept = without_oldest(history, droppable_turns(history))

    assert droppable_turns(kept) == 0


@given(st.integers(0, 300), st.integers(0, 300))
async def test_bisection_finds_the_fewest_turns_with_logarithmic_probes(threshold: int, most: int) -> None:
    probes: list[int] = []

    async def fits(dropped: int) -> bool:
        probes.append(dropped)
        return dropped >= threshold

    assert await fewest_dropped(fits, most) == min(threshold, most)
    assert len(probes) <= most.bit_length()
