"""How one step's batch is made up: who gets how many tokens."""

from __future__ import annotations

from dataclasses import dataclass

#: The least a waiting prompt gets of a step, in tokens.
QUANTUM = 32
#: Seconds that a step with running answers may take on account of prompts, and the least of them it takes, in tokens:
#: from 64 on llama.cpp has a kernel for attention that is much faster over long contexts.
STEP_S = 0.5
LEAST_CHUNK = 64
#: Whoever waits for the first word counts as much as who waits for the next one: with so many prompts per answer, steps take twice as
#: long. From 256 tokens on a chunk is as fast as a full batch (one of 64 is 8 % slower, of 128 4 %).
MOST_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Want:
    """What one stream has to evaluate: `pending` tokens; it is `running` when that is the one token just chosen."""

    pending: int
    running: bool


def compose(wants: list[Want], *, batch: int, chunk: int) -> list[int]:
    """Return the tokens that each stream gets: running ones theirs, then prompts a fair part of `chunk`.

    The oldest prompt comes first in `wants` and takes what the others leave.
    """
    shares = [min(w.pending, 1) if w.running else 0 for w in wants]
    prompts = [i for i, w in enumerate(wants) if not w.running]
    left = min(chunk, batch - sum(shares))
    if not prompts or left <= 0:
        return shares
    quantum = max(QUANTUM, left // len(prompts))
    for limit in (quantum, batch):
        for i in prompts:
            more = min(wants[i].pending - shares[i], limit, left)
            shares[i] += more
            left -= more
    return shares


class Pacer:
    """Learns how fast prompts are evaluated, and bounds their part of a step by time."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        #: Tokens per second. Until something was measured it is taken for slow, so that the first chunk is a small one.
        self._rate: float | None = None

    def chunk(self, *, running: int, waiting: int) -> int:
        """Return how many tokens of `waiting` prompts a step may take beside running answers; all that fit when there are none."""
        if not running:
            return self._batch
        patience = min(max(waiting / running, 1.0), MOST_PATIENCE)
        rate = self._rate or LEAST_CHUNK / STEP_S
        return max(LEAST_CHUNK, min(int(rate * STEP_S * patience), self._batch))

    def learn(self, tokens: int, seconds: float) -> None:
        """Take the duration of a step; small ones say nothing about prompts."""
        if tokens >= QUANTUM and seconds > 0:
            rate = tokens / seconds
            self._rate = rate if self._rate is None else self._rate + 0.3 * (rate - self._rate)
