"""What the options come to: clamped where they must be, chosen where they were left to corral."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corral.options import LoadOptions
from corral.runners import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.devices import Placement
    from corral.placement.footprint import Footprint
    from corral.placement.verdict import Conditions
    from corral.spec import ModelSpec

_GIB = 1024**3
#: Automatic contexts, by the memory of all usable GPUs together.
_TIERS = ((47 * _GIB, 262_144), (23 * _GIB, 32_768), (0, 4_096))
_SMALLEST_CONTEXT = 4
# Fewer tokens do not hold one image.
_SMALLEST_VISION_CONTEXT = 2_048
# Sequences at once when nobody says how many, as far as memory allows: enough for a person and a few agents.
_PARALLEL = (4, 2, 1)
_BATCH = 512
# An embedding model needs the whole input in one batch; a smaller one would cut it without a word.
_EMBEDDING_BATCH = 2_048
# Runners keep more sequences than they serve at once: those of texts to embed, and finished ones whose beginning may be
# used again. They share the cells, but each has its own recurrent state and its own row of logits.
_SPARE_SEQUENCES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One set of values to load a model with."""

    context_tokens: int
    parallel: int
    batch_tokens: int
    #: What the cache holds for K and for V.
    cache_types: tuple[str, str]
    #: None leaves it to the runner, which then uses it.
    flash_attention: bool | None
    notices: tuple[Notice, ...] = ()

    @property
    def cells(self) -> int:
        """Return the tokens that the cache holds, over all sequences."""
        return self.context_tokens * self.parallel

    @property
    def sequences(self) -> int:
        """Return how many sequences a runner keeps."""
        return 2 * self.parallel + _SPARE_SEQUENCES

    @property
    def has_flash(self) -> bool:
        """Return whether flash attention is to be expected."""
        return self.flash_attention is not False

    @property
    def is_full_cache(self) -> bool:
        """Return whether nothing in the cache is quantised."""
        return self.cache_types == ("f16", "f16")


def usable_context(num_ctx: int, model: ModelSpec) -> int:
    """Return the context that a model really gets when `num_ctx` is asked for."""
    floor = _SMALLEST_VISION_CONTEXT if model.projector else _SMALLEST_CONTEXT
    wanted = max(num_ctx, floor)
    trained = model.facts.context_length
    return min(wanted, trained) if trained else wanted


def smallest_automatic_context(model: ModelSpec) -> int:
    """Return the least context that anybody gets who did not ask for one."""
    return usable_context(_TIERS[-1][1], model)


def demands(model: ModelSpec, footprint: Footprint, *, gpu_bytes: int, has_flash: bool, conditions: Conditions) -> Iterator[Demand]:
    """Yield what to try, the best first. Explicit values are in all of them; after running out of memory only the least is."""
    options = model.load or LoadOptions()
    contexts = _contexts(model, options, gpu_bytes)
    parallels = _parallels(model, options)
    if conditions.whole:
        # Others can go; better that than a smaller context.
        contexts = contexts[:1]
    if conditions.reduced:
        contexts, parallels = contexts[-1:], parallels[-1:]
    flash, types, degraded = _attention(footprint, options, has_flash=has_flash)
    for context in contexts:
        for parallel in parallels:
            yield Demand(
                context_tokens=context,
                parallel=parallel,
                batch_tokens=_batch(model, options, context),
                cache_types=types,
                flash_attention=flash,
                notices=(*degraded, *_context_notices(model, options, context, _contexts(model, options, gpu_bytes)[0])),
            )


def as_placed(model: ModelSpec, placement: Placement) -> ModelSpec:
    """Return the model with what its options came to, for runners that look there."""
    load = replace(
        model.load or LoadOptions(),
        num_ctx=placement.context_tokens,
        num_parallel=placement.parallel,
        num_batch=placement.batch_tokens,
        num_thread=placement.threads,
        use_mmap=placement.use_mmap,
        cache_type_k=placement.cache_type_k,
        cache_type_v=placement.cache_type_v,
        flash_attention=placement.flash_attention,
    )
    return replace(model, load=load)


def _contexts(model: ModelSpec, options: LoadOptions, gpu_bytes: int) -> list[int]:
    if options.num_ctx is not None:
        return [usable_context(options.num_ctx, model)]
    tiers = [tokens for least, tokens in _TIERS if gpu_bytes >= least]
    return list(dict.fromkeys(usable_context(tokens, model) for tokens in tiers))


def _parallels(model: ModelSpec, options: LoadOptions) -> tuple[int, ...]:
    if model.facts.is_embedding:
        return (1,)
    return (options.num_parallel,) if options.num_parallel else _PARALLEL


def _batch(model: ModelSpec, options: LoadOptions, context: int) -> int:
    if model.facts.is_embedding:
        return min(max(options.num_batch or 0, options.num_ctx or 0, _EMBEDDING_BATCH), context)
    return min(options.num_batch or _BATCH, context)


def _attention(footprint: Footprint, options: LoadOptions, *, has_flash: bool) -> tuple[bool | None, tuple[str, str], tuple[Notice, ...]]:
    """Return flash attention and cache types that go together: a quantised cache needs it."""
    possible = has_flash and footprint.can_flash
    flash = options.flash_attention if possible or options.flash_attention is False else False
    notices: list[Notice] = []
    if options.flash_attention and not possible:
        notices.append(Notice(code="flash_attention_unavailable", message="flash attention is off: the device or the model can't"))
    types = (options.cache_type_k, options.cache_type_v)
    if types == ("f16", "f16"):
        return flash, types, tuple(notices)
    if flash is False:
        message = f"the cache is f16 instead of {'/'.join(types)}: a quantised one needs flash attention"
        return flash, ("f16", "f16"), (*notices, Notice(code="cache_type_ignored", message=message))
    return True, types, tuple(notices)


def _context_notices(model: ModelSpec, options: LoadOptions, context: int, best: int) -> Iterator[Notice]:
    if options.num_ctx is not None and context < options.num_ctx:
        message = f"num_ctx {options.num_ctx} is more than {model.name} was trained for; it is {context}"
        yield Notice(code="context_clamped", message=message)
    if options.num_ctx is None and context < best:
        message = f"the context is {context} tokens instead of {best}: memory is short; set num_ctx to insist"
        yield Notice(code="context_reduced", message=message)
