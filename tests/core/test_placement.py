"""Where a model goes, and why not better: devices, options and sizes in, a placement or a shortage out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corral.devices import Device, DeviceKind, Placement, Unusable
from corral.errors import InvalidOption
from corral.options import LoadOptions
from corral.placement import HOST, Conditions, Footprint, Shortage, as_placed, place, usable_context
from corral.placement.compute import compute_bytes
from corral.placement.demand import Demand
from corral.placement.footprint import Block
from corral.placement.host import Host, size_text
from corral.placement.rooms import free_after
from corral.settings import Settings
from corral.testing import model_spec

MIB = 1024 * 1024
GIB = 1024 * MIB
MINIMUM = 457 * MIB

CPU = Device(
    backend="cpu",
    id="cpu",
    name="CPU",
    kind=DeviceKind.CPU,
    total_bytes=32 * GIB,
    free_bytes=16 * GIB,
    facts={"recommended_threads": "6", "swap_free_bytes": str(2 * GIB)},
)


def gpu(name: str = "CUDA0", free_mib: int = 8192, **given: object) -> Device:
    """Return a discrete GPU of CUDA whose free memory is besides what every GPU keeps free."""
    facts = {
        "backend": "CUDA",
        "id": f"GPU-{name}",
        "name": name,
        "kind": DeviceKind.GPU,
        "free_bytes": free_mib * MIB + MINIMUM,
        "runners": frozenset({"scripted"}),
        **given,
    }
    return Device(**{"total_bytes": facts["free_bytes"], **facts})


def footprint(layers: int = 4, layer_mib: int = 100, **given: object) -> Footprint:
    """Return a model of equal blocks and an output layer of the same size, without cache and vocabulary."""
    blocks = tuple(Block(weights_bytes=layer_mib * MIB) for _ in range(layers - 1))
    return Footprint(**{"blocks": blocks, "input_bytes": 0, "output_bytes": layer_mib * MIB, **given})


def put(*devices: Device, model=None, size: Footprint | None = None, settings: Settings | None = None, system="linux", **given):
    """Place a model; options and conditions are given by name."""
    conditions = {name: given.pop(name) for name in ("whole", "reduced", "taken", "corrections") if name in given}
    spec = replace(model or model_spec(), load=LoadOptions(**given))
    return place(spec, size or footprint(), list(devices) or [CPU], settings or Settings(), Conditions(**conditions), system=system)


def layers(placement: Placement) -> dict[str, int]:
    return {share.device.name: share.layers for share in placement.shares}


#: The smallest batch: its buffers are some bytes.
TINY = {"num_ctx": 4, "num_parallel": 1}


def codes(placement: Placement) -> list[str]:
    return [notice.code for notice in placement.notices]


def test_a_machine_without_gpus_gives_the_host():
    placement = put(CPU, **TINY)

    assert placement.shares == ()
    assert placement.host_bytes // MIB == 400
    assert placement.threads == 6
    assert placement.reason == "no GPU was found"
    assert placement.notices == ()


@pytest.mark.parametrize(
    ("free", "parking_mib"), [(16 * GIB, 256), (600 * MIB, 49), (401 * MIB, 0), (None, 256)], ids=["plenty", "tight", "full", "unknown"]
)
def test_finished_answers_get_memory_that_nothing_else_needs(free, parking_mib):
    placement = put(replace(CPU, free_bytes=free), **TINY)

    assert placement.parking_bytes // MIB == parking_mib


@pytest.mark.parametrize(
    ("free", "cache", "parking"), [(64, 1, 1), (64, 9, 4), (10, 9, 2), (None, 3, 3)], ids=["a cache", "most", "a quarter", "unknown"]
)
def test_there_is_room_for_a_second_cache_of_finished_answers(free, cache, parking):
    host = Host(free_bytes=None if free is None else free * GIB)

    assert host.parking_bytes(2 * GIB, cache * GIB) == parking * GIB


def test_a_model_of_embeddings_keeps_no_answers():
    embedder = replace(model_spec(), facts=replace(model_spec().facts, is_embedding=True))

    assert put(CPU, model=embedder, num_ctx=4).parking_bytes == 0


def test_a_model_that_fits_on_a_gpu_goes_there_whole():
    placement = put(CPU, gpu(), **TINY)

    assert layers(placement) == {"CUDA0": 4}
    assert placement.reason == ""
    assert placement.host_bytes < MIB


def test_what_does_not_fit_stays_on_the_host_and_that_is_said():
    placement = put(CPU, gpu(free_mib=256))

    assert layers(placement) == {"CUDA0": 2}
    assert placement.host_bytes >= 200 * MIB
    assert codes(placement) == ["partial_offload"]
    assert "2 of 4 layers" in placement.reason


def test_a_gpu_that_is_too_full_for_anything_is_said_to_be():
    placement = put(CPU, gpu(free_mib=50))

    assert placement.shares == ()
    assert codes(placement) == ["cpu_fallback"]
    assert "CUDA0: 507.0 MiB free" in placement.reason


def test_a_gpu_that_nobody_can_use_is_named_with_its_reason_and_remedy():
    broken = gpu(runners=frozenset(), unusable=Unusable("the driver is too old", "install driver 550"), description="RTX 9000")

    placement = put(CPU, broken)

    assert codes(placement) == ["cpu_fallback"]
    assert placement.reason == "RTX 9000 is unusable: the driver is too old (install driver 550)"


def test_a_gpu_of_another_runner_is_not_used():
    placement = put(CPU, gpu(runners=frozenset({"other"})))

    assert placement.reason == "runner 'scripted' can't use CUDA0"


@pytest.mark.parametrize(
    ("whole", "num_gpu", "free_mib"),
    [(True, -1, 256), (True, 4, 256)],
)
def test_while_others_can_go_less_than_all_layers_is_a_shortage(whole, num_gpu, free_mib):
    verdict = put(CPU, gpu(free_mib=free_mib), whole=whole, num_gpu=num_gpu, **TINY)

    assert isinstance(verdict, Shortage)
    assert verdict.required_bytes // MIB == 400
    assert "2 of 4 layers" in verdict.reason


def test_while_others_can_go_a_host_without_gpus_is_no_shortage():
    assert isinstance(put(CPU, whole=True), Placement)


def test_a_model_is_not_spread_over_two_backends():
    rocm = gpu("ROCm0", 256, backend="ROCm")

    placement = put(CPU, gpu(free_mib=128), rocm, size=footprint(3, 100))

    assert layers(placement) == {"ROCm0": 2}


def test_the_fewest_gpus_that_hold_everything_are_used():
    placement = put(CPU, gpu("CUDA0", 500), gpu("CUDA1", 450))

    assert layers(placement) == {"CUDA0": 4}


def test_shares_are_in_the_order_of_the_layers():
    small = gpu("CUDA0", 128)
    integrated = gpu("CUDA1", 256, kind=DeviceKind.INTEGRATED)

    placement = put(CPU, small, integrated, size=footprint(3, 50))

    assert list(layers(placement).items()) == [("CUDA1", 1), ("CUDA0", 2)]


def test_spreading_is_a_setting():
    placement = put(CPU, gpu("CUDA0"), gpu("CUDA1"), settings=Settings(spread=True))

    assert layers(placement) == {"CUDA0": 2, "CUDA1": 2}


def test_an_integrated_gpu_has_no_more_than_the_host_has_free():
    host = replace(CPU, free_bytes=256 * MIB + MINIMUM)

    placement = put(host, gpu(kind=DeviceKind.INTEGRATED))

    assert layers(placement) == {"CUDA0": 2}


def test_overhead_and_metal_reserve_more():
    with_overhead = put(CPU, gpu(free_mib=401), settings=Settings(gpu_overhead_bytes=100 * MIB), **TINY)
    metal = put(CPU, gpu("MTL0", 401, backend="Metal"), **TINY)

    assert layers(with_overhead) == {"CUDA0": 3}
    assert layers(metal) == {"MTL0": 3}


def test_the_logits_of_a_batch_take_room_only_where_the_output_layer_is():
    size = footprint(embedding_length=256, vocabulary_size=64 * 1024)

    placement = put(CPU, gpu("CUDA0", 300), gpu("CUDA1", 300), size=size, num_ctx=256, num_parallel=1)

    first, last = placement.shares
    # 256 tokens x 64 Ki words x 4 bytes.
    assert last.compute_bytes - first.compute_bytes >= 60 * MIB
    assert all(share.total_bytes <= 300 * MIB for share in placement.shares)
    assert layers(placement) == {"CUDA0": 2, "CUDA1": 2}


def test_an_output_layer_that_does_not_fit_leaves_its_room_to_blocks():
    size = footprint(input_bytes=300 * MIB, output_bytes=300 * MIB, tied_bytes=300 * MIB)

    placement = put(CPU, gpu(free_mib=250), size=size, **TINY)

    assert layers(placement) == {"CUDA0": 2}
    assert placement.output_on_host
    # The head is the embeddings, and one block is left with them.
    assert placement.host_bytes // MIB == 400


def test_an_output_layer_that_fits_is_with_the_last_blocks():
    assert not put(CPU, gpu()).output_on_host
    assert not put(CPU).output_on_host


def test_files_beside_the_weights_take_room_on_the_first_gpu():
    placement = put(CPU, gpu(free_mib=400), size=footprint(companion_bytes=150 * MIB))

    assert layers(placement) == {"CUDA0": 2}


def test_an_explicit_number_of_layers_is_placed_whether_it_fits_or_not():
    assert layers(put(CPU, gpu(free_mib=50), num_gpu=3)) == {"CUDA0": 3}
    assert layers(put(CPU, gpu(), num_gpu=2)) == {"CUDA0": 2}
    assert put(CPU, gpu(), num_gpu=0).shares == ()


def test_what_was_asked_for_is_no_notice():
    placement = put(CPU, gpu(), num_gpu=2)

    assert placement.notices == ()
    assert placement.reason == "num_gpu is 2"


def test_a_gpu_of_unknown_memory_is_used_only_when_somebody_insists():
    """F23: None is legal."""
    unknown = replace(gpu(), free_bytes=None, total_bytes=None)

    automatic = put(CPU, unknown)

    assert automatic.shares == ()
    assert "set num_gpu" in automatic.reason
    assert layers(put(CPU, unknown, num_gpu=4)) == {"CUDA0": 4}


@pytest.mark.parametrize("pin", ["CUDA1", "gpu-cuda1", "0000:02:00.0", "CUDA:GPU-CUDA1"])
def test_a_pinned_device_is_the_only_one_used(pin):
    placement = put(CPU, gpu("CUDA0", 9000), gpu("CUDA1", 500, pci_id="0000:02:00.0"), device=(pin,))

    assert layers(placement) == {"CUDA1": 4}


def test_several_pinned_devices_are_used_in_their_order():
    placement = put(CPU, gpu("CUDA0", 256), gpu("CUDA1", 250), device=("CUDA1", "CUDA0"))

    assert [share.device.name for share in placement.shares] == ["CUDA1", "CUDA0"]


def test_a_model_can_be_pinned_to_the_host():
    placement = put(CPU, gpu(), device=("cpu",))

    assert placement.shares == ()
    assert placement.reason == "pinned to the host"


def test_an_unknown_pin_is_an_error_with_the_names():
    with pytest.raises(InvalidOption, match=r"no usable device 'CUDA7' \(usable: CUDA0\)"):
        put(CPU, gpu(), device=("CUDA7",))


def test_main_gpu_chooses_one_device():
    placement = put(CPU, gpu("CUDA0", 500), gpu("CUDA1", 450), main_gpu=1)

    assert layers(placement) == {"CUDA1": 4}


def test_a_main_gpu_that_is_not_there_is_an_error_but_on_a_machine_without_gpus():
    with pytest.raises(InvalidOption, match="there is no GPU 3"):
        put(CPU, gpu(), main_gpu=3)
    assert put(CPU, main_gpu=0).shares == ()


def test_a_model_larger_than_memory_and_swap_is_refused_with_both_figures():
    verdict = put(replace(CPU, free_bytes=300 * MIB, facts={"swap_free_bytes": str(50 * MIB)}), **TINY)

    assert isinstance(verdict, Shortage)
    assert (verdict.required_bytes // MIB, verdict.available_bytes) == (400, 350 * MIB)
    assert "requires 400.0 MiB of system memory, available is 350.0 MiB, 50.0 MiB of it swap" in verdict.reason


def test_swap_counts_only_when_nobody_else_can_go():
    short = replace(CPU, free_bytes=300 * MIB)

    assert isinstance(put(short), Placement)
    assert isinstance(put(short, whole=True), Shortage)


def test_a_host_whose_memory_nobody_knows_refuses_nothing():
    assert isinstance(put(replace(CPU, free_bytes=None, total_bytes=None)), Placement)
    assert isinstance(put(gpu()), Placement)


def test_memory_that_loaded_models_need_is_not_given_away_again():
    taken = {gpu().key: 8192 * MIB - 201 * MIB, HOST: GIB}

    placement = put(CPU, gpu(), taken=taken, **TINY)

    assert layers(placement) == {"CUDA0": 2}


@pytest.mark.parametrize(("size_mib", "hopeless"), [(200, False), (300, True)])
def test_a_model_that_would_not_fit_alone_either_is_hopeless(size_mib, hopeless):
    crowded = replace(CPU, total_bytes=900 * MIB, free_bytes=300 * MIB, facts={})

    verdict = put(crowded, size=footprint(4, size_mib), whole=True, taken={HOST: 600 * MIB}, **TINY)

    assert isinstance(verdict, Shortage)
    assert verdict.is_hopeless is hopeless


@pytest.mark.parametrize(
    ("reported", "total", "taken", "expected"),
    [
        (900, 1000, 175, 825),
        (1900, 2000, 125, 1875),
        (100, 1000, 175, 100),
        (900, 1000, 1100, 0),
        (None, 1000, 300, 700),
        (900, None, 300, 900),
        (None, None, 0, 0),
        (-5, 1000, 0, 0),
    ],
)
def test_free_memory_is_the_smaller_of_what_the_driver_and_our_books_say(reported, total, taken, expected):
    """F23: drivers lag, lie and leave out."""
    assert free_after(reported, total, taken) == expected


def test_what_earlier_loads_took_corrects_the_estimate():
    plain, corrected = (put(CPU, gpu(), corrections=c) for c in ({}, {"CUDA0": 70 * MIB, "CPU": 5 * MIB}))

    assert corrected.shares[0].total_bytes == plain.shares[0].total_bytes + 70 * MIB
    assert corrected.host_bytes == plain.host_bytes + 5 * MIB


def test_a_second_try_leaves_a_reserve_and_takes_the_least():
    first = put(CPU, gpu(free_mib=420))
    second = put(CPU, gpu(free_mib=420), reduced=True)

    assert (layers(first), first.parallel) == ({"CUDA0": 4}, 4)
    assert (layers(second), second.parallel) == ({"CUDA0": 3}, 1)


def test_a_second_try_leaves_explicit_values_alone():
    placement = put(CPU, gpu(), reduced=True, num_ctx=3000, num_parallel=7, num_gpu=4, num_batch=33)

    assert (placement.context_tokens, placement.parallel, placement.batch_tokens) == (3000, 7, 33)
    assert layers(placement) == {"CUDA0": 4}


@pytest.mark.parametrize(
    ("num_ctx", "trained", "projector", "expected"),
    [
        (8192, 4096, False, 4096),
        (1, 4096, False, 4),
        (512, 4096, True, 2048),
        (512, 1024, True, 1024),
        (100_000, 0, False, 100_000),
    ],
)
def test_a_context_is_clamped_to_what_makes_sense(num_ctx, trained, projector, expected, tmp_path):
    spec = model_spec()
    spec = replace(spec, facts=replace(spec.facts, context_length=trained), projector=tmp_path if projector else None)

    assert usable_context(num_ctx, spec) == expected


def test_a_clamped_context_is_said():
    assert codes(put(CPU, num_ctx=999_999)) == ["context_clamped"]


@pytest.mark.parametrize(("memory_gib", "expected"), [(80, 262_144), (24, 32_768), (8, 4_096)])
def test_an_automatic_context_grows_with_the_memory_of_the_gpus(memory_gib, expected):
    spec = replace(model_spec(), facts=replace(model_spec().facts, context_length=1_000_000))

    assert put(CPU, gpu(free_mib=memory_gib * 1024), model=spec).context_tokens == expected


def test_an_automatic_context_that_does_not_fit_is_made_smaller_and_that_is_said():
    spec = replace(model_spec(), facts=replace(model_spec().facts, context_length=1_000_000))
    blocks = tuple(Block(weights_bytes=MIB, key_elements=4096, value_elements=4096) for _ in range(32))

    placement = put(CPU, gpu(free_mib=24 * 1024), model=spec, size=Footprint(blocks=blocks, input_bytes=0, output_bytes=MIB))

    # 512 KiB a token: 32,768 of them are 16 GiB for one sequence, and nothing is left for a second one.
    assert (placement.context_tokens, placement.parallel) == (32_768, 1)
    assert codes(placement) == []
    short = put(CPU, gpu(free_mib=24 * 1024), model=spec, size=Footprint(blocks=blocks * 2, input_bytes=0, output_bytes=MIB))
    assert (short.context_tokens, codes(short)) == (4_096, ["context_reduced"])


def test_a_smaller_context_is_not_chosen_while_others_can_go():
    spec = replace(model_spec(), facts=replace(model_spec().facts, context_length=1_000_000))
    blocks = tuple(Block(weights_bytes=MIB, key_elements=4096, value_elements=4096) for _ in range(64))
    size = Footprint(blocks=blocks, input_bytes=0, output_bytes=MIB)

    assert isinstance(put(CPU, gpu(free_mib=24 * 1024), model=spec, size=size, whole=True), Shortage)


def test_several_sequences_at_once_take_no_more_than_half_of_the_hosts_memory():
    blocks = (Block(weights_bytes=GIB, key_elements=131_072, value_elements=131_072),)

    placement = put(CPU, size=Footprint(blocks=blocks, input_bytes=0, output_bytes=0))

    # 2 GiB of cache for each sequence of 4,096 tokens: with four of them it would be 9 of the 16.
    assert placement.parallel == 2


@pytest.mark.parametrize(
    ("options", "batch"), [({}, 2048), ({"num_batch": 64}, 2048), ({"num_batch": 4096}, 4096), ({"num_ctx": 6000}, 6000)]
)
def test_an_embedding_model_gets_one_sequence_and_a_batch_for_the_whole_input(options, batch):
    facts = replace(model_spec().facts, is_embedding=True, context_length=8192)
    spec = replace(model_spec(), facts=facts)

    placement = put(CPU, model=spec, **options)

    assert (placement.parallel, placement.batch_tokens) == (1, batch)


def test_a_batch_is_no_larger_than_the_context():
    assert put(CPU, num_ctx=100).batch_tokens == 100
    assert put(CPU, num_batch=64).batch_tokens == 64


@pytest.mark.parametrize(
    ("options", "size", "compute", "expected"),
    [
        ({"cache_type_k": "q8_0", "cache_type_v": "q8_0"}, {}, "8.9", (True, "q8_0", [])),
        ({"cache_type_k": "q8_0", "flash_attention": False}, {}, "8.9", (False, "f16", ["cache_type_ignored"])),
        ({"cache_type_k": "q8_0"}, {"can_flash": False}, "8.9", (False, "f16", ["cache_type_ignored"])),
        ({}, {}, "8.9", (None, "f16", [])),
        ({}, {}, "7.2", (False, "f16", [])),
        ({}, {}, "5.2", (False, "f16", [])),
        ({}, {}, "", (None, "f16", [])),
        ({"flash_attention": True}, {}, "7.2", (False, "f16", ["flash_attention_unavailable"])),
        ({"flash_attention": True}, {}, "7.5", (True, "f16", [])),
    ],
)
def test_flash_attention_and_the_cache_go_together(options, size, compute, expected):
    placement = put(CPU, gpu(compute=compute), size=footprint(**size), **options)

    assert (placement.flash_attention, placement.cache_type_k, codes(placement)) == expected


@pytest.mark.parametrize(
    ("devices", "system", "options", "expected"),
    [
        ([CPU], "linux", {}, False),
        ([CPU], "linux", {"use_mmap": True}, True),
        ([CPU, gpu()], "linux", {}, True),
        ([CPU, gpu()], "linux", {"use_mmap": False}, False),
        ([CPU, gpu()], "win32", {}, False),
        ([replace(CPU, free_bytes=399 * MIB), gpu()], "linux", {}, False),
        ([replace(CPU, free_bytes=399 * MIB), gpu()], "darwin", {}, True),
        ([CPU, gpu("Vulkan0", backend="Vulkan")], "linux", {}, False),
        ([CPU, gpu("MTL0", backend="Metal")], "darwin", {}, True),
        ([CPU, gpu("MTL0", 250, backend="Metal")], "darwin", {}, False),
    ],
)
def test_weights_are_mapped_where_that_works_well(devices, system, options, expected):
    assert put(*devices, system=system, **options).use_mmap is expected


def test_a_model_with_adapters_is_mapped_like_any_other(tmp_path):
    """llama.cpp adds them to what the weights give, and leaves the weights alone."""
    assert put(CPU, gpu(), model=replace(model_spec(), adapters=(tmp_path,)), use_mmap=True).use_mmap is True


def test_a_mac_gets_no_part_of_a_model_that_is_larger_than_its_memory():
    metal = gpu("MTL0", 40_000, backend="Metal")
    small = replace(CPU, total_bytes=300 * MIB, free_bytes=None)

    assert put(small, metal, system="darwin").shares == ()
    assert layers(put(small, metal, system="linux")) == {"MTL0": 4}


def test_a_tied_head_takes_memory_only_where_the_embeddings_are_not():
    size = footprint(input_bytes=100 * MIB, output_bytes=100 * MIB, tied_bytes=100 * MIB)

    host, device = put(CPU, size=size, **TINY), put(CPU, gpu(), size=size, **TINY)

    assert host.host_bytes // MIB == 400
    assert device.shares[0].weights_bytes == 400 * MIB
    assert device.host_bytes >= 100 * MIB


def test_recurrent_blocks_have_a_state_for_each_sequence_and_no_cells():
    size = footprint(blocks=(Block(weights_bytes=0, state_bytes=MIB),), output_bytes=0)
    one, two = (put(CPU, size=size, num_parallel=count, num_ctx=4).host_bytes for count in (1, 2))

    assert (two - one) // MIB == 2


def test_the_model_as_placed_carries_what_its_options_came_to():
    placement = put(CPU, num_ctx=100, cache_type_k="q8_0", flash_attention=False)

    load = as_placed(model_spec(), placement).load

    assert load is not None
    assert (load.num_ctx, load.num_parallel, load.cache_type_k, load.num_thread) == (100, 4, "f16", 6)


# Measured: llama.cpp's compute buffer for SmolLM2-135M in MiB, by context, batch, flash attention and cache.
SMOLLM2 = Footprint(
    blocks=(Block(weights_bytes=0, key_elements=192, value_elements=192),) * 30,
    input_bytes=0,
    output_bytes=0,
    embedding_length=576,
    vocabulary_size=49_152,
    head_count=9,
    feed_forward_length=1536,
)


@pytest.mark.parametrize(
    ("context", "batch", "flash", "cache", "measured_mib"),
    [
        (256, 512, None, "f16", 49.13),
        (2048, 512, None, "f16", 102.51),
        (4096, 512, None, "f16", 98.25),
        (65536, 512, None, "f16", 98.25),
        (4096, 32, None, "f16", 6.14),
        (4096, 2048, None, "f16", 393.01),
        (4096, 512, True, "q8_0", 99.38),
        (4096, 512, True, "q4_0", 99.38),
        (4096, 512, False, "f16", 99.38),
        (16384, 512, False, "f16", 326.38),
        (65536, 512, False, "f16", 1286.38),
        (32768, 64, False, "f16", 80.80),
    ],
)
def test_the_buffers_of_a_batch_are_what_was_measured(context, batch, flash, cache, measured_mib):
    demand = Demand(context_tokens=context, parallel=1, batch_tokens=batch, cache_types=(cache, cache), flash_attention=flash)

    assert compute_bytes(SMOLLM2, demand, has_output=True) / MIB == pytest.approx(measured_mib, rel=0.05)


@pytest.mark.parametrize(
    ("context", "cache", "measured_mib"),
    [(256, "f16", 5.62), (5000, "f16", 112.5), (4096, "f16", 90.0), (4096, "q8_0", 47.81), (4096, "q4_0", 25.31), (65536, "f16", 1440)],
)
def test_the_cache_is_what_was_measured(context, cache, measured_mib):
    assert sum(SMOLLM2.layer_caches(context, 1, (cache, cache))) / MIB == pytest.approx(measured_mib, abs=0.01)


def test_sizes_are_told_as_people_read_them():
    assert [size_text(size) for size in (5, 2048, 3 * MIB // 2, 5 * 1024**6)] == ["5 B", "2.0 KiB", "1.5 MiB", "5120.0 PiB"]
