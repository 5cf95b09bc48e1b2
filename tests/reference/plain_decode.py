"""Answer prompts with the bare library: no cache is kept, nothing is shared. Run with a model; reads and writes lines of JSON."""

from __future__ import annotations

import json
import sys

import llama_cpp.llama_cpp as ll
import numpy as np
from tiny_models import CHUNK

CONTEXT = 1024


class Plain:
    """One model, one sequence."""

    def __init__(self, path: str) -> None:
        ll.llama_log_set(_say_nothing, None)
        self.model = ll.llama_model_load_from_file(path.encode(), ll.llama_model_default_params())
        params = ll.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = CONTEXT, CHUNK, CHUNK
        params.n_threads = params.n_threads_batch = 1
        self.context = ll.llama_init_from_model(self.model, params)
        vocabulary = ll.llama_model_get_vocab(self.model)
        self.words = ll.llama_vocab_n_tokens(vocabulary)
        self.end = ll.llama_vocab_eos(vocabulary)
        self.is_endless = False
        self.batch = ll.llama_batch_init(CHUNK, 0, 1)

    def answer(self, prompt: list[int], count: int, *, is_endless: bool) -> list[tuple[int, float]]:
        """Return the most likely continuation: `count` tokens, or fewer with the end as the last one."""
        self.is_endless = is_endless
        ll.llama_memory_clear(ll.llama_get_memory(self.context), True)
        for start in range(0, len(prompt), CHUNK):
            found = self.decode(prompt[start : start + CHUNK], start)
        answer = [found]
        while len(answer) < count and answer[-1][0] != self.end:
            answer.append(self.decode([answer[-1][0]], len(prompt) + len(answer) - 1))
        return answer

    def decode(self, tokens: list[int], position: int) -> tuple[int, float]:
        """Evaluate tokens; return the most likely next one, and how far its logit is above the second one's."""
        batch = self.batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index], batch.pos[index] = token, position + index
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, 0
            batch.logits[index] = index == len(tokens) - 1
        if ll.llama_decode(self.context, batch):
            raise RuntimeError("the batch can't be evaluated")
        logits = np.ctypeslib.as_array(ll.llama_get_logits_ith(self.context, -1), (self.words,))
        if self.is_endless:
            logits[self.end] = -np.inf
        second, first = np.sort(logits)[-2:]
        return int(logits.argmax()), float(first - second)


@ll.llama_log_callback
def _say_nothing(_level: int, _text: bytes, _data: object) -> None:
    pass


if __name__ == "__main__":
    plain = Plain(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(plain.answer(**json.loads(line))), flush=True)
