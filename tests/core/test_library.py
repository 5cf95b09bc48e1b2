"""What the library promises: names of plugins are settled in the open, and a model can be made again from what it shows."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from corral import modelfile, sources
from corral.api import CreateRequest, Library, ModelDetails
from corral.conversation import Conversation, Message, Prompt, Segment
from corral.errors import (
    InvalidGGUF,
    InvalidInput,
    InvalidName,
    InvalidOption,
    InvalidTemplate,
    ModelNotFound,
    PluginError,
    SourceError,
    StoreError,
    UnknownName,
    Unsupported,
)
from corral.fetching import Part, Progress, Resolved
from corral.library import DiskLibrary
from corral.library.modelfiles import request_of
from corral.modelfile import Keyword
from corral.names import Digest
from corral.settings import Settings
from corral.sources import Wanted
from corral.spec import Markers, ModelSpec, Origin, ParserOffer, ParserSupport, RendererOffer
from corral.store import Store
from corral.testing import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from corral.fetching import ModelSource

Fields = dict[str, object]
Chosen = tuple[str, Origin]
MODEL = "application/vnd.ollama.image.model"


class FakeSource:
    """A source of parts that are given as bytes."""

    def __init__(self, parts: Mapping[str, bytes], *, digests: bool = False, config: dict[str, object] | None = None) -> None:
        self.parts = parts
        self.digests = digests
        self.config = config or {}
        self.closed = False

    def resolve(self) -> Resolved:
        parts = tuple(
            Part(media_type=MODEL, name=name, size=len(data), digest=f"sha256:{hashlib.sha256(data).hexdigest()}" if self.digests else "")
            for name, data in self.parts.items()
        )
        return Resolved(reference="fake:thing", parts=parts, config=self.config, name="thing:latest")

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        with target.open("ab") as file:
            done = file.tell()
            file.write(self.parts[part.name][done:])
        report(part.size, part.size)

    def close(self) -> Iterable[str]:
        self.closed = True
        return ("it was slow",)


class FakePlugins:
    """The names that a set of plugins offers."""

    def __init__(self) -> None:
        qwen = Markers(all_of=("<tool_call>\n<function=",))
        self.offered_renderers = [
            RendererOffer(name="chat-template"),
            RendererOffer(name="qwen", call_format="xml", detect=qwen),
            RendererOffer(name="plain", call_format="json"),
        ]
        self.offered_parsers = [
            ParserOffer(name="chat-template"),
            ParserOffer(name="qwen", call_format="xml", detect=qwen, support=ParserSupport(tools=True, thinking="optional")),
            ParserOffer(name="plain", call_format="json"),
        ]
        self.source: ModelSource = FakeSource({})

    def renderers(self) -> Mapping[str, RendererOffer]:
        return {offer.name: offer for offer in self.offered_renderers}

    def parsers(self) -> Mapping[str, ParserOffer]:
        return {offer.name: offer for offer in self.offered_parsers}

    def runners(self) -> frozenset[str]:
        return frozenset({"llama-cpp", "other"})

    def sources(self) -> frozenset[str]:
        return frozenset({"fake"})

    def provider(self, kind: Literal["renderer", "parser", "runner"], name: str) -> str:
        names = {"renderer": self.renderers(), "parser": self.parsers(), "runner": self.runners()}[kind]
        if name not in names:
            raise UnknownName(kind, name, names)
        return "fakes 1.0"

    def parser_support(self, model: ModelSpec) -> ParserSupport:
        return self.parsers()[model.parser.name].support_for(model)

    def render_prompt(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        if "{{ if }}" in model.template:
            raise InvalidTemplate("template line 1: a value is missing")
        return Prompt(segments=(Segment(model.template + conversation.messages[0].content),))

    def open_source(self, reference: str) -> ModelSource:
        assert reference == "fake:thing"
        return self.source


@pytest.fixture
def plugins() -> FakePlugins:
    return FakePlugins()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def library(store: Store, plugins: FakePlugins) -> DiskLibrary:
    return DiskLibrary(store, plugins)


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 100):
        yield data[start : start + 100]


async def upload(library: DiskLibrary, data: bytes) -> str:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    await library.add_blob(digest, chunks(data))
    return digest


async def create(library: DiskLibrary, model: str = "tiny", **fields: object) -> list[Progress]:
    return [progress async for progress in library.create(CreateRequest(model=model, **fields))]  # type: ignore[arg-type]


async def pull(library: DiskLibrary) -> list[Progress]:
    return [progress async for progress in library.pull("fake:thing")]


async def make(
    library: DiskLibrary, tmp_path: Path, model: str = "tiny", chat_template: str = "plain template", **fields: object
) -> ModelDetails:
    data = tiny_gguf(tmp_path / "tiny.gguf", chat_template=chat_template).read_bytes()
    await create(library, model, files={"tiny.gguf": await upload(library, data)}, **fields)
    return library.show(model)


def make_again(details: ModelDetails, model: str) -> CreateRequest:
    """Return the request that the shown Modelfile makes."""
    parsed = modelfile.parse(details.modelfile)
    paths = [Path(value) for value in parsed.all(Keyword.FROM)]
    blobs = {path.name: str(Digest.parse(path.name)) for path in paths if path.is_absolute()}
    base = next((str(path) for path in paths if not path.is_absolute()), "")
    return request_of(parsed, model, base=base, files=blobs)


def test_it_is_the_library_that_apis_are_promised(library: DiskLibrary) -> None:
    promised: Library = library

    assert promised.names() == []


async def test_a_model_made_of_a_file_says_so_line_by_line(library: DiskLibrary, tmp_path: Path) -> None:
    data = tiny_gguf(tmp_path / "tiny.gguf").read_bytes()
    digest = await upload(library, data)

    lines = [progress.status for progress in await create(library, files={"tiny.gguf": digest}, system="Be brief.")]

    assert lines[0] == "parsing GGUF"
    assert f"using existing layer {digest}" in lines
    assert sum(line.startswith("creating new layer sha256:") for line in lines) == 2
    assert lines[-2:] == ["writing manifest", "success"]
    assert library.resolve("tiny").system == "Be brief."


async def test_a_resolved_model_has_all_that_an_engine_needs(library: DiskLibrary, tmp_path: Path) -> None:
    await make(
        library,
        tmp_path,
        system="s",
        template="{{ .Prompt }}",
        parameters={"num_ctx": 512, "stop": ["x"]},
        messages=(Message(role="user", content="hi"),),
    )

    spec = library.resolve("TINY:latest")

    assert (spec.name, spec.system, spec.template) == ("tiny:latest", "s", "{{ .Prompt }}")
    assert spec.parameters == {"num_ctx": 512, "stop": ["x"]}
    assert spec.messages == (Message(role="user", content="hi"),)
    assert (spec.facts.architecture, spec.facts.context_length) == ("llama", 4096)
    assert spec.path.read_bytes()[:4] == b"GGUF"
    assert spec.digest == library.summaries()[0].digest


QWEN = "<tool_call>\n<function=x>"


@pytest.mark.parametrize(
    ("chat_template", "fields", "renderer", "parser"),
    [
        ("plain", {}, ("chat-template", Origin.DEFAULT), ("chat-template", Origin.DEFAULT)),
        (QWEN, {}, ("qwen", Origin.DETECTED), ("qwen", Origin.DETECTED)),
        (QWEN, {"renderer": "plain"}, ("plain", Origin.EXPLICIT), ("chat-template", Origin.DEFAULT)),
        (QWEN, {"parser": "plain"}, ("chat-template", Origin.DEFAULT), ("plain", Origin.EXPLICIT)),
        (QWEN, {"renderer": "none"}, ("chat-template", Origin.DEFAULT), ("qwen", Origin.DETECTED)),
        (QWEN, {"renderer": "none", "parser": "none"}, ("chat-template", Origin.DEFAULT), ("chat-template", Origin.DEFAULT)),
        ("plain", {"renderer": "qwen", "parser": "qwen"}, ("qwen", Origin.EXPLICIT), ("qwen", Origin.EXPLICIT)),
        (QWEN, {"template": "{{ .Prompt }}"}, ("chat-template", Origin.DEFAULT), ("qwen", Origin.DETECTED)),
    ],
)
async def test_plugins_are_chosen_in_the_promised_order(
    library: DiskLibrary, tmp_path: Path, chat_template: str, fields: Fields, renderer: Chosen, parser: Chosen
) -> None:
    spec = (await make(library, tmp_path, chat_template=chat_template, **fields)).spec

    assert ((spec.renderer.name, spec.renderer.origin), (spec.parser.name, spec.parser.origin)) == (renderer, parser)
    assert (spec.runner.name, spec.runner.origin) == ("llama-cpp", Origin.DEFAULT)


async def test_a_go_template_says_why_it_is_not_used(library: DiskLibrary, plugins: FakePlugins, tmp_path: Path) -> None:
    details = await make(library, tmp_path, template="{{ .Prompt }}")
    plugins.offered_renderers.append(RendererOffer(name="go-template"))

    assert "no plugin offers 'go-template'" in details.spec.renderer.reason
    assert library.show("tiny").spec.renderer.name == "go-template"


async def test_a_template_that_can_not_be_rendered_fails_at_create(library: DiskLibrary, plugins: FakePlugins, tmp_path: Path) -> None:
    plugins.offered_renderers.append(RendererOffer(name="go-template"))

    with pytest.raises(InvalidTemplate, match="line 1: a value is missing"):
        await make(library, tmp_path, template="{{ if }}")
    await make(library, tmp_path, "sound", template="{{ .Prompt }}")
    await make(library, tmp_path, "unused", template="{{ if }}", renderer="qwen")

    assert library.names() == ["sound:latest", "unused:latest"]


async def test_inherited_names_say_so_and_can_be_taken_away(library: DiskLibrary, tmp_path: Path) -> None:
    await make(library, tmp_path, "base", renderer="qwen", parser="qwen", runner="other")
    await create(library, "heir", base="base", system="x")
    await create(library, "rebel", base="heir", renderer="none", parser="plain")
    await create(library, "grandchild", base="rebel", runner="llama-cpp")

    heir, rebel, grandchild = (library.resolve(name) for name in ("heir", "rebel", "grandchild"))
    assert [(c.name, c.origin) for c in (heir.renderer, heir.parser, heir.runner)] == [
        ("qwen", Origin.INHERITED), ("qwen", Origin.INHERITED), ("other", Origin.INHERITED),
    ]  # fmt: skip
    assert (rebel.renderer.name, rebel.renderer.reason) == ("chat-template", "the Modelfile says RENDERER none")
    assert (rebel.parser.name, rebel.parser.origin) == ("plain", Origin.EXPLICIT)
    assert (grandchild.renderer.name, grandchild.renderer.origin) == ("chat-template", Origin.DEFAULT)
    assert (grandchild.parser.origin, grandchild.runner.origin) == (Origin.INHERITED, Origin.EXPLICIT)


async def test_two_plugins_that_recognise_one_template_are_both_named(library: DiskLibrary, plugins: FakePlugins, tmp_path: Path) -> None:
    await make(library, tmp_path, chat_template=QWEN)
    plugins.offered_renderers.append(RendererOffer(name="rival", detect=Markers(all_of=("<function=",))))

    with pytest.raises(PluginError, match="'qwen' and 'rival' all recognise"):
        library.show("tiny")


@pytest.mark.parametrize(
    ("kind", "name", "hint"), [("renderer", "qwenn", "qwen"), ("parser", "plane", "plain"), ("runner", "llama-ccp", "llama-cpp")]
)
async def test_an_unknown_name_fails_at_create_with_a_suggestion(
    library: DiskLibrary, tmp_path: Path, kind: str, name: str, hint: str
) -> None:
    with pytest.raises(UnknownName, match=rf"no plugin offers {kind} '{name}' \(did you mean '{hint}'"):
        await make(library, tmp_path, **{kind: name})

    assert library.names() == []


async def test_a_pair_that_does_not_fit_is_refused_at_create(library: DiskLibrary, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="writes tool calls as xml and parser 'plain' reads json"):
        await make(library, tmp_path, renderer="qwen", parser="plain")


async def test_a_model_whose_plugin_is_gone_can_be_shown_and_removed_but_not_run(
    library: DiskLibrary, plugins: FakePlugins, tmp_path: Path
) -> None:
    """F14: a plugin is uninstalled while a Modelfile needs it."""
    await make(library, tmp_path, renderer="qwen")
    plugins.offered_renderers = plugins.offered_renderers[:1]
    rest = DiskLibrary(Store(tmp_path / "models"), plugins)

    with pytest.raises(UnknownName, match="renderer 'qwen'"):
        rest.resolve("tiny")
    assert rest.show("tiny").providers["renderer"].startswith("missing: no plugin offers renderer 'qwen'")
    rest.delete("tiny")
    assert rest.names() == []


VARIANTS: dict[str, dict[str, object]] = {
    "bare": {},
    "texts": {"system": ' "odd"\n', "template": '{{ .Prompt }}\n"""\n', "licenses": ("MIT", "and\nmore")},
    "parameters": {"parameters": {"num_ctx": 1_048_576, "temperature": 0.1, "stop": ["<|end|>", '"', " "], "use_mmap": False}},
    "messages": {"messages": (Message(role="user", content="a: b"), Message(role="assistant", content="\n"))},
    "plugins": {"renderer": "qwen", "parser": "qwen", "runner": "other"},
    "cleared": {"renderer": "none", "parser": "none"},
    "requires": {"requires": "0.14.0"},
}


@pytest.mark.parametrize("variant", VARIANTS)
async def test_creating_from_the_shown_modelfile_is_the_identity(library: DiskLibrary, tmp_path: Path, variant: str) -> None:
    shown = await make(library, tmp_path, **VARIANTS[variant])

    await _recreate(library, shown)

    assert library.show("again").summary.digest == shown.summary.digest


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("parent_goes", [False, True])
async def test_the_identity_holds_for_heirs(library: DiskLibrary, tmp_path: Path, variant: str, parent_goes: bool) -> None:
    await make(library, tmp_path, "base", renderer="qwen", system="base", parameters={"top_k": 3, "stop": ["x"]}, licenses=("L",))
    fields = VARIANTS[variant] | ({"parser": "none"} if variant == "plugins" else {})
    await create(library, "heir", base="base", **fields)
    if parent_goes:
        library.delete("base")
    shown = library.show("heir")

    await _recreate(library, shown)

    assert library.show("again").summary.digest == shown.summary.digest


async def _recreate(library: DiskLibrary, shown: ModelDetails) -> None:
    async for _ in library.create(make_again(shown, "again")):
        continue


async def test_inheritance_follows_ollamas_rules(library: DiskLibrary, tmp_path: Path) -> None:
    await make(
        library,
        tmp_path,
        "base",
        system="old",
        parameters={"top_k": 3, "stop": ["a", "b"]},
        licenses=("L1",),
        messages=(Message(role="user", content="1"),),
    )
    await create(library, "heir", base="base", parameters={"stop": ["c"]}, licenses=("L2",), messages=(Message(role="user", content="2"),))
    await create(library, "cleared", base="heir", system="")

    details = library.show("heir")
    assert (details.spec.system, details.spec.parameters) == ("old", {"top_k": 3, "stop": ["c"]})
    assert (details.licenses, details.spec.messages) == (("L1", "L2"), (Message(role="user", content="2"),))
    assert details.summary.parent == "base:latest"
    assert library.resolve("cleared").system == ""


async def test_an_existing_ollama_store_works_and_its_unknown_keys_stay(library: DiskLibrary, store: Store, tmp_path: Path) -> None:
    weights = tiny_gguf(tmp_path / "tiny.gguf").read_bytes()
    config = json.dumps(
        {
            "model_format": "gguf", "model_family": "llama", "model_families": None, "model_type": "8.0B", "file_type": "Q4_0",
            "renderer": "qwen", "rootfs": {"type": "layers", "diff_ids": []}, "novel": {"key": 1},
        },
        indent=2,
    ).encode()  # fmt: skip
    parameters = b'{ "stop": ["<|eot|>"], "num_keep": 24.0, "num_gqa": 8, "novel": "x" }'
    found = {MODEL: weights, MODEL.replace("model", "params"): parameters, "application/vnd.docker.container.image.v1+json": config}
    entries = {
        kind: {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)} for kind, data in found.items()
    }
    store.blobs.folder.mkdir(parents=True)
    for data in found.values():
        (store.blobs.folder / f"sha256-{hashlib.sha256(data).hexdigest()}").write_bytes(data)
    *pieces, last = entries.values()
    manifest = json.dumps({"schemaVersion": 2, "config": last, "layers": pieces}, indent=1).encode()
    path = store.folder / "manifests/registry.ollama.ai/library/llama3/8b"
    path.parent.mkdir(parents=True)
    path.write_bytes(manifest)

    summary = library.summaries()[0]
    spec = library.resolve("llama3:8B")
    await create(library, "mine", base="llama3:8b", system="x")
    library.copy("llama3:8b", "other")
    await _recreate(library, library.show("llama3:8b"))

    assert (summary.digest, summary.parameter_size, summary.families) == (hashlib.sha256(manifest).hexdigest(), "8.0B", ())
    assert (spec.parameters, spec.renderer.name, spec.renderer.origin) == (
        {"stop": ["<|eot|>"], "num_keep": 24, "num_gqa": 8, "novel": "x"},
        "qwen",
        Origin.EXPLICIT,
    )
    assert path.with_name("latest").parent.parent.joinpath("other/latest").read_bytes() == manifest
    assert library.show("again").summary.digest == summary.digest
    mine = store.catalog.read(next(name for name in store.catalog.names() if name.model == "mine")).manifest
    assert json.loads(store.blobs.read(mine.config.digest, 9999))["novel"] == {"key": 1}
    library.delete("llama3:8b")
    assert set(library.names()) == {"again:latest", "mine:latest", "other:latest"}
    assert library.resolve("mine").path.exists()


async def test_a_changed_manifest_is_seen_at_once(library: DiskLibrary, tmp_path: Path) -> None:
    await make(library, tmp_path, system="one")
    before = library.resolve("tiny")
    assert library.resolve("tiny") is before
    other = DiskLibrary(Store(tmp_path / "models"), FakePlugins())

    await create(other, base="tiny", system="two")
    after = library.resolve("tiny")
    other.delete("tiny")

    assert (before.system, after.system) == ("one", "two")
    with pytest.raises(ModelNotFound, match="model 'tiny' not found"):
        library.resolve("tiny")


@pytest.mark.parametrize("damage", ["gone", "cut"])
async def test_weights_that_went_missing_are_noticed_before_any_runner_sees_them(library: DiskLibrary, tmp_path: Path, damage: str) -> None:
    path = (await make(library, tmp_path)).spec.path
    library.resolve("tiny")
    path.unlink() if damage == "gone" else path.write_bytes(b"GGUF")

    with pytest.raises(StoreError, match=r"blob sha256:.* of model 'tiny:latest'"):
        library.resolve("tiny")


async def test_a_hostile_file_is_refused_at_create(library: DiskLibrary) -> None:
    digest = await upload(library, b"GGUF\3\0\0\0" + b"\xff" * 32)

    with pytest.raises(InvalidGGUF, match="tensor_count"):
        await create(library, files={"x.gguf": digest})


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({}, InvalidInput, "neither 'from' or 'files'"),
        ({"files": {"../x.gguf": f"sha256:{'0' * 64}"}}, InvalidInput, "file path must be relative"),
        ({"files": {"/x.gguf": f"sha256:{'0' * 64}"}}, InvalidInput, "file path must be relative"),
        ({"files": {"x.gguf": "sha256:../../x"}}, InvalidName, "invalid digest format"),
        ({"files": {"x.gguf": f"sha256:{'0' * 64}"}}, InvalidInput, "not in the store"),
        ({"model": "../x", "base": "y"}, InvalidName, "invalid model name"),
        ({"base": "missing"}, SourceError, "no source knows 'missing'"),
    ],
)
async def test_a_create_that_can_not_work_says_why(
    library: DiskLibrary, fields: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        await create(library, **fields)  # type: ignore[arg-type]

    assert library.names() == []


async def test_parameters_of_the_wrong_type_are_refused(library: DiskLibrary, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="temperature"):
        await make(library, tmp_path, parameters={"temperature": "hot"})


async def test_files_are_told_apart_by_what_they_are(library: DiskLibrary, tmp_path: Path) -> None:
    adapter = await upload(library, tiny_gguf(tmp_path / "a", metadata={"general.type": "adapter"}).read_bytes())
    projector = await upload(library, tiny_gguf(tmp_path / "p", metadata={"general.architecture": "clip"}).read_bytes())
    model = await upload(library, tiny_gguf(tmp_path / "m").read_bytes())
    split = await upload(library, tiny_gguf(tmp_path / "s", metadata={"split.count": 3}).read_bytes())

    await create(library, files={"m.gguf": model, "p.gguf": projector}, adapters={"a.gguf": adapter}, drafts={"d.gguf": model})

    spec = library.resolve("tiny")
    assert [path.name for path in (spec.path, spec.projector or Path(), *spec.adapters, spec.draft or Path())] == [
        digest.replace(":", "-") for digest in (model, projector, adapter, model)
    ]
    assert "vision" in library.show("tiny").capabilities
    with pytest.raises(InvalidInput, match="not an adapter"):
        await create(library, files={"m.gguf": model}, adapters={"m.gguf": model})
    with pytest.raises(InvalidInput, match="second model"):
        await create(
            library, files={"m.gguf": model, "n.gguf": await upload(library, tiny_gguf(tmp_path / "n", chat_template="n").read_bytes())}
        )
    with pytest.raises(InvalidInput, match="no model file"):
        await create(library, files={"p.gguf": projector})
    with pytest.raises(Unsupported, match="split GGUF"):
        await create(library, files={"s.gguf": split})


async def test_details_tell_capabilities_providers_and_metadata(library: DiskLibrary, tmp_path: Path) -> None:
    details = await make(library, tmp_path, chat_template=QWEN)

    assert details.capabilities == ("completion", "tools", "thinking")
    assert details.providers == {"renderer": "fakes 1.0", "parser": "fakes 1.0", "runner": "fakes 1.0"}
    assert details.metadata["llama.block_count"] == 2
    assert "tokenizer.chat_template" not in details.metadata


async def test_capabilities_are_looked_at_once_and_a_damaged_model_has_none(
    library: DiskLibrary, store: Store, plugins: FakePlugins, tmp_path: Path
) -> None:
    await make(library, tmp_path, chat_template=QWEN)
    (summary,) = library.summaries()
    words = library.capabilities(summary)
    library.resolve("tiny").path.unlink()

    assert words == library.capabilities(summary) == ("completion", "tools", "thinking")
    assert DiskLibrary(store, plugins).capabilities(summary) == ()
    assert (summary.context_length, summary.embedding_length) == (4096, 64)


async def test_pulling_tells_each_step_and_installs_under_the_sources_name(
    library: DiskLibrary, plugins: FakePlugins, tmp_path: Path
) -> None:
    data = tiny_gguf(tmp_path / "x").read_bytes()
    source = plugins.source = FakeSource({"x.gguf": data}, digests=True, config={"renderer": "qwen"})
    digest = hashlib.sha256(data).hexdigest()

    first = [progress async for progress in library.pull("fake:thing")]
    second = [progress async for progress in library.pull("fake:thing", "copy:v2")]

    assert [progress.status for progress in first] == [
        "pulling manifest", f"pulling {digest[:12]}", "verifying sha256 digest", "writing manifest", "warning: it was slow", "success",
    ]  # fmt: skip
    assert first[1] == second[1] == Progress(f"pulling {digest[:12]}", f"sha256:{digest}", len(data), len(data))
    assert source.closed
    assert set(library.names()) == {"thing:latest", "copy:v2"}
    assert library.resolve("thing").renderer.name == "qwen"
    shown = library.show("thing")
    await _recreate(library, shown)
    assert library.show("again").summary.digest == shown.summary.digest


async def test_a_short_name_brings_the_recommended_parameters(
    library: DiskLibrary, plugins: FakePlugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins.source = FakeSource({"x.gguf": tiny_gguf(tmp_path / "x").read_bytes()}, digests=True)
    known = Wanted(name="small:latest", reference="fake:thing", parameters={"temperature": 0.2})
    monkeypatch.setattr(sources, "SHORT_NAMES", (known,))

    assert [progress async for progress in library.pull("small")]

    assert library.resolve("small").parameters == {"temperature": 0.2}


async def test_a_pull_resumes_what_an_earlier_one_left(library: DiskLibrary, plugins: FakePlugins, store: Store, tmp_path: Path) -> None:
    data = tiny_gguf(tmp_path / "x").read_bytes()
    plugins.source = FakeSource({"x.gguf": data})
    with store.partial("fake:thing\0x.gguf", lambda: None) as partial:
        partial.path.write_bytes(data[:50])

    await pull(library)

    assert library.resolve("thing").path.read_bytes() == data


async def test_a_pull_that_waited_for_another_one_does_not_fetch_again(
    library: DiskLibrary, plugins: FakePlugins, store: Store, tmp_path: Path
) -> None:
    """F94."""
    data = tiny_gguf(tmp_path / "x").read_bytes()
    digest = Digest(hashlib.sha256(data).hexdigest())
    source = plugins.source = FakeSource({"x.gguf": data}, digests=True)
    source.fetch = lambda *_: pytest.fail("it fetches again")  # type: ignore[method-assign]

    with store.writing() as holding, store.partial(str(digest), lambda: None) as partial:
        steps = library.pull("fake:thing")
        async for step in steps:
            if "another process" in step.status:
                break
        partial.path.write_bytes(data)
        partial.share()
        holding.adopt(partial.path, digest)
    await anext(step async for step in steps if step.status == "success")

    assert library.names() == ["thing:latest"]


@pytest.mark.parametrize("kind", ["hostile", "other"])
async def test_what_was_fetched_wrong_leaves_nothing_behind(
    library: DiskLibrary, plugins: FakePlugins, store: Store, tmp_path: Path, kind: str
) -> None:
    """F83, and a truncated file before any runner sees it."""
    data = tiny_gguf(tmp_path / "x").read_bytes()
    source = plugins.source = FakeSource({"x.gguf": data if kind == "other" else data[:-9]}, digests=True)
    if kind == "other":
        resolved = source.resolve()
        source.resolve = lambda: replace(resolved, parts=(replace(resolved.parts[0], digest=f"sha256:{'0' * 64}"),))  # type: ignore[method-assign]

    with pytest.raises((SourceError, InvalidGGUF), match="digest mismatch" if kind == "other" else "^'x.gguf': .* at offset"):
        await pull(library)

    assert library.names() == []
    assert list(store.blobs.folder.iterdir()) == []


async def test_a_pull_that_does_not_fit_on_the_disk_is_refused_first(
    library: DiskLibrary, plugins: FakePlugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F91."""
    plugins.source = FakeSource({"x.gguf": b"x" * 100})
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(100, 50, 50))  # type: ignore[attr-defined]

    with pytest.raises(StoreError, match=r"needs 100 bytes and .* has 50 free"):
        await pull(library)


async def test_a_folder_that_can_not_be_written_is_named(library: DiskLibrary, plugins: FakePlugins, store: Store, tmp_path: Path) -> None:
    plugins.source = FakeSource({"x.gguf": b"x"})
    store.folder.write_text("a file where a folder should be")

    with pytest.raises(StoreError, match=r"can't write to '.*blobs'"):
        await pull(library)
    with pytest.raises(StoreError, match=r"can't write to '.*blobs'"):
        await make(library, tmp_path)


async def test_a_base_that_is_not_installed_is_pulled(library: DiskLibrary, plugins: FakePlugins, tmp_path: Path) -> None:
    plugins.source = FakeSource({"x.gguf": tiny_gguf(tmp_path / "x").read_bytes()})

    lines = [progress.status for progress in await create(library, base="fake:thing", system="x")]

    assert "pulling x.gguf" in lines
    assert lines.count("success") == 1
    assert library.show("tiny").summary.parent == "thing:latest"


async def test_uploads_are_verified(library: DiskLibrary, store: Store) -> None:
    digest = f"sha256:{'0' * 64}"

    with pytest.raises(InvalidInput, match="digest mismatch"):
        await library.add_blob(digest, chunks(b"abc"))
    with pytest.raises(InvalidName, match="invalid digest format"):
        library.has_blob("sha256:../x")
    assert not library.has_blob(digest)
    assert list(store.blobs.folder.iterdir()) == []
    good = f"sha256:{hashlib.sha256(b'abc').hexdigest()}"
    assert [await library.add_blob(good, chunks(b"abc")), await library.add_blob(good, chunks(b"abc"))] == [True, False]


def test_a_library_opens_the_folder_of_the_settings(tmp_path: Path, plugins: FakePlugins) -> None:
    from corral.library import open_library

    assert open_library(Settings(models=tmp_path / "not yet there"), plugins).summaries() == []


async def test_writing_to_a_name_in_another_case_means_the_installed_one(
    library: DiskLibrary, plugins: FakePlugins, tmp_path: Path
) -> None:
    plugins.source = FakeSource({"x.gguf": tiny_gguf(tmp_path / "x").read_bytes()})
    await make(library, tmp_path, "Tiny:One")

    assert [progress async for progress in library.pull("fake:thing", "tiny:ONE")]
    library.copy("tiny:one", "TINY:one")
    await create(library, "tiNY:one", base="tiny:one", system="x")

    assert library.names() == ["Tiny:One"]


async def test_a_damaged_file_is_named_by_create_and_by_load(library: DiskLibrary, store: Store, tmp_path: Path) -> None:
    cut = tiny_gguf(tmp_path / "x").read_bytes()[:-9]
    digest = await upload(library, cut)
    with pytest.raises(InvalidGGUF, match=r"^'x\.gguf': .* at offset \d+: "):
        await create(library, files={"x.gguf": digest})

    await make(library, tmp_path)
    weights = library.resolve("tiny").path
    weights.chmod(0o644)
    weights.write_bytes(b"GGUF" + bytes(weights.stat().st_size - 4))
    with pytest.raises(InvalidGGUF, match=r"^'tiny:latest': .* at offset \d+: "):
        DiskLibrary(store, FakePlugins()).resolve("tiny")


async def test_a_damaged_model_does_not_hide_the_others(library: DiskLibrary, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await make(library, tmp_path)
    library.copy("tiny", "broken")
    (tmp_path / "models/manifests/registry.ollama.ai/library/broken/latest").write_text("{")

    assert [summary.name for summary in library.summaries()] == ["tiny:latest"]
    assert "'broken:latest' is left out" in caplog.text
    library.delete("broken")
    assert library.names() == ["tiny:latest"]


async def test_pruning_frees_what_no_model_needs(library: DiskLibrary, store: Store) -> None:
    digest = await upload(library, b"never used")
    fresh = library.prune()
    os.utime(store.blobs.path(Digest.parse(digest)), (1, 1))

    assert (fresh, library.prune(), library.has_blob(digest)) == (0, 10, False)


async def test_a_source_that_names_an_unknown_plugin_is_refused_before_anything_is_fetched(
    library: DiskLibrary, plugins: FakePlugins
) -> None:
    plugins.source = FakeSource({"x.gguf": b"never fetched"}, config={"parser": "nobody"})

    with pytest.raises(UnknownName, match="parser 'nobody'"):
        await pull(library)
