"""What MiniMax-M2 is shown and answers."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral.events import CallStatus

_ULM = '<invoke name="get_weather">\n<parameter name="city">Ulm</parameter>\n</invoke>'
_STOP = '<invoke name="stop">\n</invoke>'


def _wrapped(*calls: str) -> str:
    return f"<minimax:tool_call>\n{chr(10).join(calls)}\n</minimax:tool_call>"


_READ = ("get_weather", {"city": "Ulm"}, OK)

CASES = [
    Reference(renderer="minimax-m2", template="MiniMax-M2.jinja", differs="the reference drops later system messages"),
    Shown(
        renderer="minimax-m2",
        case="a-result",
        conversation=talk(
            system(), user(), assistant("Look", call(city="Ulm"), call("stop"), thinking="hm"), result(), result("done", "stop")
        ),
        text=f"]~!b[]~b]system\nBe kind[e~[\n]~b]user\nHi[e~[\n]~b]ai\n<think>\nhm\n</think>\n\nLook\n{_wrapped(_ULM, _STOP)}[e~[\n"
        "]~b]tool\n<response>rain</response>\n<response>done</response>[e~[\n]~b]ai\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="minimax-m2",
        case="earlier-thinking",
        conversation=talk(user(), assistant("Yes", thinking="hm"), user("And?")),
        text="]~!b[]~b]system\nYou are a helpful assistant.[e~[\n]~b]user\nHi[e~[\n]~b]ai\nYes[e~[\n]~b]user\nAnd?[e~[\n]~b]ai\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="minimax-m2",
        case="a-beginning",
        conversation=talk(user(), assistant("So", thinking="hm")),
        text="]~!b[]~b]system\nYou are a helpful assistant.[e~[\n]~b]user\nHi[e~[\n]~b]ai\n<think>\nhm\n</think>\n\nSo",
        suffix="<think>\nhm\n</think>\n\nSo",
    ),
    Answered(parser="minimax-m2", suffix="<think>\n", text="hm\n</think>\n\nSun", thinking="hm", content="Sun"),
    Answered(
        parser="minimax-m2",
        suffix="<think>\n",
        text=f"hm</think>So\n{_wrapped(_ULM, _STOP)}",
        thinking="hm",
        content="So",
        calls=(_READ, ("stop", {}, OK)),
    ),
    Answered(parser="minimax-m2", suffix="<think>\n", text=f"hm\n{_wrapped(_ULM)}", thinking="hm", calls=(_READ,)),
    Answered(parser="minimax-m2", text=_wrapped(_ULM).partition("lm<")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(
        parser="minimax-m2",
        text=_wrapped(_ULM.replace("Ulm</parameter>", 'Ulm</parameter><parameter name="days">soon</parameter>')),
        calls=(("get_weather", {"city": "Ulm", "days": "soon"}, CallStatus.COERCION_FAILED),),
    ),
    RoundTrip(renderer="minimax-m2", parser="minimax-m2", holds=Holds(thinking=False)),
    Forced(parser="minimax-m2", accepted=(_wrapped(_ULM), _wrapped(_STOP, _ULM)), refused=("Hi", _ULM)),
    Forced(parser="minimax-m2", suffix="<think>\n", accepted=(f"hm</think>\n\n{_wrapped(_ULM)}",), refused=(_wrapped(_ULM),)),
]
