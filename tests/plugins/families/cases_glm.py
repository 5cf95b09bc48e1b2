"""What GLM is shown and answers."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

_CALL = "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Ulm</arg_value></tool_call>"
_LINES = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n</tool_call>"
_ULM = ("get_weather", {"city": "Ulm"}, OK)
_TURNS = (system(), user("Weather?"), assistant("Look", call(city="Ulm", days=3), thinking="hm"), result())

CASES = [
    Reference(renderer="glm-4.6", template="GLM-4.6.jinja", holds=Holds(later_system=True)),
    Reference(renderer="glm-4.7", template="GLM-4.7-Flash.jinja", holds=Holds(later_system=True)),
    Shown(
        renderer="glm-4.6",
        case="a-result",
        conversation=talk(*_TURNS),
        text="[gMASK]<sop><|system|>\nBe kind<|user|>\nWeather?<|assistant|>\n<think>hm</think>\nLook\n<tool_call>get_weather\n"
        "<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>"
        "<|observation|>\n<tool_response>\nrain\n</tool_response><|assistant|>",
    ),
    Shown(
        renderer="glm-4.6",
        case="no-thinking",
        conversation=talk(user("Hi/nothink"), assistant("Yes"), user("And?"), think=False),
        text="[gMASK]<sop><|user|>\nHi/nothink<|assistant|>\n<think></think>\nYes<|user|>\nAnd?/nothink<|assistant|>\n<think></think>",
        suffix="\n<think></think>",
    ),
    Shown(
        renderer="glm-4.7",
        case="a-result",
        conversation=talk(*_TURNS),
        text="[gMASK]<sop><|system|>Be kind<|user|>Weather?<|assistant|><think>hm</think>Look<tool_call>get_weather"
        "<arg_key>city</arg_key><arg_value>Ulm</arg_value><arg_key>days</arg_key><arg_value>3</arg_value></tool_call>"
        "<|observation|><tool_response>rain</tool_response><|assistant|><think>",
        suffix="<think>",
    ),
    Shown(
        renderer="glm-4.7",
        case="no-thinking",
        conversation=talk(user(), assistant("Yes", thinking="hm"), user("And?"), think=False),
        text="[gMASK]<sop><|user|>Hi<|assistant|></think>Yes<|user|>And?<|assistant|></think>",
        suffix="</think>",
    ),
    Shown(
        renderer="glm-4.7",
        case="a-beginning",
        conversation=talk(user(), assistant("So", thinking="hm")),
        text="[gMASK]<sop><|user|>Hi<|assistant|><think>hm</think>So",
        suffix="<think>hm</think>So",
    ),
    Answered(parser="glm-4.6", text="\n<think>hm</think>\nSun", thinking="hm", content="Sun"),
    Answered(parser="glm-4.6", text=f"\n<think></think>\nSo\n{_LINES}\n{_LINES}", content="So", calls=(_ULM, _ULM)),
    Answered(parser="glm-4.7", suffix="<think>", text=f"hm</think>So{_CALL}{_CALL}", thinking="hm", content="So", calls=(_ULM, _ULM)),
    Answered(parser="glm-4.7", suffix="</think>", text="Sun", content="Sun"),
    Answered(parser="glm-4.7", suffix="<think>", text=f"hm{_CALL}", thinking="hm", calls=(_ULM,)),
    Answered(parser="glm-4.7", text="<tool_call>stop</tool_call>", calls=(("stop", {}, OK),)),
    Answered(
        parser="glm-4.7",
        text="<tool_call>get_weather<arg_key>city</arg_key><arg_value>a & b\n</arg_value>"
        "<arg_key>days</arg_key><arg_value>3</arg_value></tool_call>",
        calls=(("get_weather", {"city": "a & b\n", "days": 3}, OK),),
    ),
    Answered(parser="glm-4.7", text=_CALL.partition("lm<")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="glm-4.7", text="<tool_call></tool_call>", content="<tool_call></tool_call>"),
    RoundTrip(renderer="glm-4.6", parser="glm-4.6"),
    RoundTrip(renderer="glm-4.7", parser="glm-4.7"),
    Forced(parser="glm-4.6", accepted=(_LINES, "<tool_call>stop\n</tool_call>"), refused=("Hi", _CALL)),
    Forced(parser="glm-4.7", accepted=(_CALL, "<tool_call>stop</tool_call>"), refused=("Hi", "<tool_call>stop")),
    Forced(parser="glm-4.7", suffix="<think>", accepted=(f"hm</think>{_CALL}",), refused=(_CALL,)),
]
