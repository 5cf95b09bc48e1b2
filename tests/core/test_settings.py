"""Settings: which text wins, what it means, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.errors import InvalidInput
from corral.settings import Settings, explain, load_settings, parse_duration, parse_keep_alive, surprises


def origin_of(field: str, flags: dict[str, str], environ: dict[str, str]) -> str:
    return next(s.origin for s in explain(flags, environ) if s.field == field)


@pytest.mark.parametrize(
    ("flags", "environ", "value", "origin"),
    [
        ({"host": "a:1"}, {"CORRAL_HOST": "b:2", "OLLAMA_HOST": "c:3"}, "a:1", "--host"),
        ({}, {"CORRAL_HOST": "b:2", "OLLAMA_HOST": "c:3"}, "b:2", "CORRAL_HOST"),
        ({}, {"OLLAMA_HOST": "c:3"}, "c:3", "OLLAMA_HOST"),
        ({}, {"CORRAL_HOST": "  ", "OLLAMA_HOST": "c:3"}, "c:3", "OLLAMA_HOST"),
        ({}, {}, "127.0.0.1:11434", "default"),
    ],
)
def test_a_flag_wins_over_corral_over_ollama_over_the_default(
    flags: dict[str, str], environ: dict[str, str], value: str, origin: str
) -> None:
    assert load_settings(flags, environ).host == value
    assert origin_of("host", flags, environ) == origin


@pytest.mark.parametrize(
    ("text", "host", "url", "address"),
    [
        ("1.2.3.4", "1.2.3.4:11434", "http://1.2.3.4:11434", ("1.2.3.4", 11434)),
        (":8080", "0.0.0.0:8080", "http://0.0.0.0:8080", ("0.0.0.0", 8080)),
        ("::1", "[::1]:11434", "http://[::1]:11434", ("::1", 11434)),
        ("[::1]:9", "[::1]:9", "http://[::1]:9", ("::1", 9)),
        ("http://x", "x:80", "http://x:80", ("x", 80)),
        ("https://x", "https://x:443", "https://x:443", ("x", 443)),
        ("http://x:1/llm/", "http://x:1/llm", "http://x:1/llm", ("x", 1)),
        ("127.0.0.1:0", "127.0.0.1:0", "http://127.0.0.1:0", ("127.0.0.1", 0)),
        ("'127.0.0.1:5'", "127.0.0.1:5", "http://127.0.0.1:5", ("127.0.0.1", 5)),
    ],
)
def test_an_address_is_read_as_ollama_reads_it(text: str, host: str, url: str, address: tuple[str, int]) -> None:
    settings = load_settings({}, {"OLLAMA_HOST": text})

    assert (settings.host, settings.url, settings.address) == (host, url, address)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("300ms", 0.3), ("1.5s", 1.5), ("-1m", -60), ("0", 0), ("90", 90), ("+2s", 2), ("10us", 1e-5)],
)
def test_a_duration_is_read_as_go_reads_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5x", "m", "5 m", "--1s", "1s-2s", "nan", "inf", "1e3s"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@given(hours=st.integers(0, 1000), minutes=st.integers(0, 59), seconds=st.integers(0, 59), milliseconds=st.integers(0, 999))
def test_the_terms_of_a_duration_add_up(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds + milliseconds / 1000

    assert parse_duration(f"{hours}h{minutes}m{seconds}s{milliseconds}ms") == pytest.approx(total)


@pytest.mark.parametrize(("value", "seconds"), [("-1", math.inf), (-1, math.inf), ("10m", 600), (0, 0), (2.5, 2.5)])
def test_a_negative_keep_alive_is_for_ever(value: str | float, seconds: float) -> None:
    assert parse_keep_alive(value) == seconds


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("OLLAMA_MODELS", "/srv/models", "models", Path("/srv/models")),
        ("OLLAMA_KEEP_ALIVE", "-1", "keep_alive_s", math.inf),
        ("OLLAMA_KEEP_ALIVE", "24h", "keep_alive_s", 86400),
        ("OLLAMA_LOAD_TIMEOUT", "0", "load_timeout_s", math.inf),
        ("OLLAMA_NUM_PARALLEL", "4", "num_parallel", 4),
        ("OLLAMA_CONTEXT_LENGTH", "8192", "context_length", 8192),
        ("OLLAMA_MAX_LOADED_MODELS", "2", "max_loaded_models", 2),
        ("OLLAMA_MAX_QUEUE", "1", "max_queue", 1),
        ("OLLAMA_ORIGINS", "http://a, http://b", "origins", ("http://a", "http://b")),
        ("OLLAMA_GPU_OVERHEAD", "512MiB", "gpu_overhead_bytes", 512 * 1024**2),
        ("OLLAMA_SCHED_SPREAD", "1", "spread", True),
        ("OLLAMA_FLASH_ATTENTION", "false", "flash_attention", False),
        ("OLLAMA_FLASH_ATTENTION", "auto", "flash_attention", None),
        ("OLLAMA_KV_CACHE_TYPE", "Q8_0", "kv_cache_type", "q8_0"),
        ("OLLAMA_NOPRUNE", "yes", "no_prune", True),
        ("OLLAMA_DEBUG", "1", "log", "debug"),
        ("OLLAMA_DEBUG", "0", "log", "info"),
        ("CORRAL_LOG", "WARNING", "log", "warning"),
        ("CORRAL_PLUGINS", "no:nvidia,cpu", "plugins", ("no:nvidia", "cpu")),
        ("CORRAL_STRICT_PLUGINS", "on", "strict_plugins", True),
        ("CORRAL_PROBE_TIMEOUT", "1.5s", "probe_timeout_s", 1.5),
        ("CORRAL_MAX_BODY", "1G", "max_body_bytes", 1024**3),
    ],
)
def test_a_variable_sets_its_field(variable: str, text: str, field: str, value: object) -> None:
    assert getattr(load_settings({}, {variable: text}), field) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CORRAL_NUM_PARALLEL", "many"),
        ("CORRAL_NUM_PARALLEL", "-1"),
        ("CORRAL_KEEP_ALIVE", "a while"),
        ("CORRAL_HOST", "ftp://x"),
        ("CORRAL_HOST", "x:port"),
        ("CORRAL_HOST", "http://me:secret@x"),
        ("CORRAL_LOG", "loud"),
        ("CORRAL_NOPRUNE", "perhaps"),
        ("CORRAL_PROBE_TIMEOUT", "0"),
        ("CORRAL_GPU_OVERHEAD", "lots"),
        ("OLLAMA_KV_CACHE_TYPE", "q3"),
    ],
)
def test_a_value_that_makes_no_sense_names_its_variable(variable: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{variable}: '{text}' is "):
        load_settings({}, {variable: text})


def test_the_models_follow_a_home_that_was_moved() -> None:
    settings = load_settings({}, {"CORRAL_HOME": "/srv/corral"})

    assert settings.models == Path("/srv/corral/models")
    assert origin_of("models", {}, {"CORRAL_HOME": "/srv/corral"}) == "CORRAL_HOME"


def test_a_tilde_is_the_home_folder() -> None:
    assert load_settings({}, {"CORRAL_MODELS": "~/m"}).models == Path.home() / "m"


def test_nothing_given_is_the_default_value() -> None:
    assert load_settings({}, {}) == Settings()


def test_every_field_can_be_set_and_is_explained() -> None:
    assert {s.field for s in explain({}, {})} == set(Settings.__dataclass_fields__)


def test_misspelt_and_contradicting_variables_are_surprises() -> None:
    environ = {"CORRAL_KEEPALIVE": "1m", "CORRAL_HOST": "a:1", "OLLAMA_HOST": "b:2", "CORRAL_MODELS": "/m", "OLLAMA_MODELS": "/m"}

    assert surprises(environ) == [
        "CORRAL_KEEPALIVE is not a setting (did you mean CORRAL_KEEP_ALIVE?)",
        "CORRAL_HOST=a:1 wins over OLLAMA_HOST=b:2",
    ]


def test_a_variable_that_a_plugin_reads_is_no_surprise() -> None:
    environ = {"CORRAL_PRIVATE_REGISTRIES": "a", "CORRAL_PRIVATE_REGISTRY": "b"}

    assert surprises(environ, ["CORRAL_PRIVATE_REGISTRIES"]) == [
        "CORRAL_PRIVATE_REGISTRY is not a setting (did you mean CORRAL_PRIVATE_REGISTRIES?)"
    ]


def test_a_user_without_a_home_folder_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)

    with pytest.raises(InvalidInput, match="say in CORRAL_HOME where"):
        load_settings({}, {})
    with pytest.raises(InvalidInput, match="CORRAL_MODELS: '~nobody-of-that-name/x' is in the home folder of a user who has none"):
        load_settings({}, {"CORRAL_HOME": "/x", "CORRAL_MODELS": "~nobody-of-that-name/x"})
    assert load_settings({}, {"CORRAL_HOME": "/x"}).models == Path("/x/models")
