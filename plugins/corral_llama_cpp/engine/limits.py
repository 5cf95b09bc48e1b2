"""Which tokens of a prompt fit the context, and what goes when the context is full."""

from __future__ import annotations

from dataclasses import dataclass

from corral.errors import ContextExceeded

#: An answer without a limit of its own ends after this many contexts.
ENDLESS_CONTEXTS = 10


@dataclass(frozen=True, slots=True)
class Window:
    """The context of one sequence: `size` tokens, of which the first `keep` stay when it slides."""

    size: int
    keep: int

    @property
    def discard(self) -> int:
        """Return how many tokens go when a full window slides: half of what is not kept."""
        return max((self.size - self.keep) // 2, 1)


def window(context_tokens: int, num_keep: int, prompt_tokens: int, *, adds_bos: bool) -> Window:
    """Return the window of a request; a negative `num_keep` keeps the whole prompt, a BOS is kept on top."""
    wanted = prompt_tokens if num_keep < 0 else num_keep + adds_bos
    return Window(size=context_tokens, keep=max(0, min(wanted, context_tokens - 1)))


def fit(prompt: list[int], view: Window, *, truncate: bool, shift: bool) -> list[int]:
    """Return the prompt, cut to the window when it is longer: the kept head, and the newest of the rest.

    A cut prompt leaves room to generate before the window slides. Raises ContextExceeded when it must not be cut.
    """
    if len(prompt) <= view.size:
        return prompt
    if not (truncate and shift):
        raise ContextExceeded(tokens=len(prompt), context=view.size)
    room = max(view.size - view.discard - view.keep, 1)
    return prompt[: view.keep] + prompt[-room:]


def answer_limit(num_predict: int, context_tokens: int) -> int:
    """Return the most tokens an answer may have; 0 evaluates the prompt only."""
    bound = ENDLESS_CONTEXTS * context_tokens
    return bound if num_predict < 0 else min(num_predict, bound)
