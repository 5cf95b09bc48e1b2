"""What Gemma 4 and FunctionGemma are shown and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral.conversation import Message

if TYPE_CHECKING:
    from corral.conversation import Conversation, Json, JsonObject

_ULM = '<|tool_call>call:get_weather{city:<|"|>Ulm<|"|>}<tool_call|>'
_STOP = "<|tool_call>call:stop{}<tool_call|>"
_FUNCTION = "<start_function_call>call:get_weather{city:<escape>Ulm<escape>,days:3}<end_function_call>"
_READ = ("get_weather", {"city": "Ulm"}, OK)
_KEYWORDS = {"description", "type", "properties", "required", "nullable"}
_TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "Does",
        "parameters": {
            "type": "object",
            "properties": {
                "b": {"type": "string", "enum": ["x", "y"]},
                "a": {"type": "array", "description": "many", "items": {"type": "integer", "minimum": 1}},
            },
            "required": ["a"],
        },
    },
}


def _properties(conversation: Conversation) -> list[tuple[str, Json]]:
    found: list[tuple[str, Json]] = []
    for tool in conversation.tools:
        match tool:
            case {"function": {"parameters": {"properties": dict(properties)}}}:
                found += properties.items()
    return found


def _confuses_keywords(conversation: Conversation) -> bool:
    """Return whether the reference takes a parameter for a keyword, or the keywords of an object for its parameters."""
    return any(
        name in _KEYWORDS or (isinstance(schema, dict) and schema.get("type") == "object" and not schema.keys() <= _KEYWORDS)
        for name, schema in _properties(conversation)
    )


CASES = [
    Reference(
        renderer="gemma4",
        template="google-gemma-4-31B-it.jinja",
        holds=Holds(alternates=True, content_with_calls=False),
        excuse=_confuses_keywords,
        differs="the reference puts text behind the results of its calls, and drops other results and parameters named like keywords",
    ),
    Shown(
        renderer="gemma4",
        case="a-result",
        conversation=talk(system(), user(), assistant("", call(city="Ulm", days=[1, True]), thinking="hm"), result(), think=True),
        text="<s><|turn>system\n<|think|>\nBe kind<turn|>\n<|turn>user\nHi<turn|>\n<|turn>model\n<|channel>thought\nhm\n<channel|>"
        '<|tool_call>call:get_weather{city:<|"|>Ulm<|"|>,days:[1,true]}<tool_call|>'
        '<|tool_response>response:get_weather{value:<|"|>rain<|"|>}<tool_response|>',
    ),
    Shown(
        renderer="gemma4",
        case="a-tool",
        conversation=talk(user(), assistant("A<|channel>thought\nx<channel|>B"), user("And?"), tools=(_TOOL,)),
        text='<s><|turn>system\n<|tool>declaration:f{description:<|"|>Does<|"|>,parameters:{properties:{a:{description:<|"|>many<|"|>,'
        'items:{minimum:1,type:<|"|>INTEGER<|"|>},type:<|"|>ARRAY<|"|>},b:{enum:[<|"|>x<|"|>,<|"|>y<|"|>],type:<|"|>STRING<|"|>}},'
        'required:[<|"|>a<|"|>],type:<|"|>OBJECT<|"|>}}<tool|><turn|>\n<|turn>user\nHi<turn|>\n<|turn>model\nAB<turn|>\n'
        "<|turn>user\nAnd?<turn|>\n<|turn>model\n<|channel>thought\n<channel|>",
        suffix="<|channel>thought\n<channel|>",
    ),
    Shown(
        renderer="gemma4",
        case="a-beginning",
        conversation=talk(user(), assistant("So", thinking="hm")),
        text="<s><|turn>user\nHi<turn|>\n<|turn>model\n<|channel>thought\nhm\n<channel|>So",
        suffix="<|channel>thought\nhm\n<channel|>So",
    ),
    Shown(
        renderer="gemma4",
        case="an-image",
        conversation=talk(Message(role="user", content="See", images=(b"x",)), think=True),
        text="<s><|turn>system\n<|think|>\n<turn|>\n<|turn>user\n<|image|>See<turn|>\n<|turn>model\n",
    ),
    Answered(parser="gemma4", text="<|channel>thought\nhm\n<channel|>Sun", thinking="hm", content="Sun"),
    Answered(
        parser="gemma4", suffix="<|channel>thought\n<channel|>", text=f"So{_ULM}{_STOP}", content="So", calls=(_READ, ("stop", {}, OK))
    ),
    Answered(parser="gemma4", text=f"<|channel>thought\nhm{_ULM}", thinking="hm", calls=(_READ,)),
    Answered(parser="gemma4", text=f"{_ULM}<|tool_response>", calls=(_READ,)),
    Answered(
        parser="gemma4",
        text='<|tool_call>call:get_weather{city:<|"|>a "b", {c}\n<|"|>,days:3,flags:[true,false]}<tool_call|>',
        calls=(("get_weather", {"city": 'a "b", {c}\n', "days": 3, "flags": [True, False]}, OK),),
    ),
    Answered(parser="gemma4", text=_ULM.partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="gemma4", text="<|tool_call>none<tool_call|>", content="<|tool_call>none<tool_call|>"),
    Answered(parser="gemma4-no-thinking", text=f"<|channel>{_ULM}", content="<|channel>", calls=(_READ,)),
    Answered(
        parser="functiongemma", text=f"{_FUNCTION}<start_function_response>", calls=(("get_weather", {"city": "Ulm", "days": 3}, OK),)
    ),
    Answered(parser="functiongemma", text=_FUNCTION.partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    RoundTrip(renderer="gemma4", parser="gemma4", holds=Holds(thinking=False)),
    Forced(parser="gemma4", accepted=(_ULM, _ULM + _STOP), refused=("Hi", '<|tool_call>call:get_weather{city:"Ulm"}<tool_call|>')),
    Forced(parser="functiongemma", accepted=(_FUNCTION,), refused=("Hi", _ULM)),
]
