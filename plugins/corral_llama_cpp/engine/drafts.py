"""Guess the next tokens from what was said before, and learn whether guessing pays."""

from __future__ import annotations

from collections import defaultdict

#: The shortest repetition that is taken as a hint while guesses are right, and the one that starts the guessing, in tokens.
#: Three tokens repeat by chance in any prose; a wrong guess of two costs as much as a token.
MIN_MATCH = 3
COLD_MATCH = 8
#: Places that are compared, and tokens before each.
MOST_PLACES = 16
LONGEST_MATCH = 32
#: The longest guess. A batch of 24 tokens takes 11 times as long as one token on 2 cores, and longer ones pay little more.
MAX_DRAFT = 24
#: Tokens without a guess after a wrong one; it doubles with each further wrong one.
FIRST_PAUSE = 4
MAX_PAUSE = 256


class Lookup:
    """Finds where the last tokens occurred before; what followed them then is a guess of what follows now.

    Of several places the one counts where the most tokens before are the same, too: idioms repeat in many places.
    """

    def __init__(self, tokens: list[int]) -> None:
        self._tokens: list[int] = []
        #: Where the tokens after each run of MIN_MATCH tokens start.
        self._after: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        self.extend(tokens)

    def extend(self, tokens: list[int]) -> None:
        """Take further tokens of the stream."""
        for token in tokens:
            self._tokens.append(token)
            if len(self._tokens) >= MIN_MATCH:
                self._after[tuple(self._tokens[-MIN_MATCH:])].append(len(self._tokens))

    def draft(self, length: int, match: int = MIN_MATCH) -> list[int]:
        """Return at most `length` tokens that followed the last time; empty when fewer than `match` tokens repeat."""
        places = self._after.get(tuple(self._tokens[-MIN_MATCH:]), [])[-MOST_PLACES - 1 : -1]
        if not places:
            return []
        # The latest one of equals: what was said last is said again.
        at = max(reversed(places), key=self._matching)
        return self._tokens[at : at + length] if self._matching(at) >= match else []

    def _matching(self, at: int) -> int:
        """Return how many tokens before `at` are the last ones, as far as it matters."""
        tokens, end = self._tokens, len(self._tokens)
        count = MIN_MATCH
        while count < LONGEST_MATCH and at > count and tokens[at - count - 1] == tokens[end - count - 1]:
            count += 1
        return count


class Pace:
    """How many tokens to guess: more after each full hit, none for a while after a miss."""

    def __init__(self, most: int = MAX_DRAFT) -> None:
        self._most = most
        self._length = min(2, most)
        #: Whether the last guess was any good.
        self._is_warm = False
        self._pause = 0
        self._next_pause = FIRST_PAUSE

    def length(self, room: int) -> int:
        """Return how many tokens to guess now, at most `room`."""
        return 0 if self._pause else min(self._length, room)

    @property
    def match(self) -> int:
        """Return how many tokens must repeat before the next guess."""
        return MIN_MATCH if self._is_warm else COLD_MATCH

    def plain(self) -> None:
        """Note a token that was decoded without a guess."""
        self._pause = max(self._pause - 1, 0)

    def judge(self, drafted: int, accepted: int) -> None:
        """Note how many of the guessed tokens were right."""
        self._is_warm = accepted * 2 >= drafted
        if accepted == drafted:
            self._length = min(self._length * 2, self._most)
            self._next_pause = FIRST_PAUSE
        elif self._is_warm:
            self._length = max(accepted, 1)
        else:
            self._length = min(2, self._most)
            self._pause = self._next_pause
            self._next_pause = min(self._next_pause * 2, MAX_PAUSE)
