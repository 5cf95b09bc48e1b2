"""What Gemma 4 and FunctionGemma are shown and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, unchanged, user

from corral.conversation import Message

if TYPE_CHECKING:
    from corral.conversation import Conversation, Json, JsonObject

_ULM = '<|tool_call>call:get_weather{city:<|"|>Ulm<|"|>}<tool_call|>'
_STOP = "<|tool_call>call:stop{}<tool_call|>"
_FUNCTION = "<start_function_call>call:get_weather{city:<escape>Ulm<escape>,days:3}<end_function_call>"
_READ = ("get_weather", {"city": "Ulm"}, OK)
_WEATHER: JsonObject = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Gets the current weather in a given location.",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": 'The city and state, e.g. "San Francisco, CA" or "Tokyo, JP"'},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "The unit to return the temperature in."},
            },
            "required": ["location"],
        },
    },
}
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


def _without_thought(template: str) -> str:
    """Return the template as the small models have it."""
    return template.replace(r"{{- '<|channel>thought\n<channel|>' -}}", "")


_DIFFERS = "the reference puts text behind the results of its calls, and drops other results and parameters named like keywords"

CASES = [
    *(
        Reference(
            renderer=renderer,
            template="google-gemma-4-31B-it.jinja",
            holds=Holds(alternates=True, content_with_calls=False),
            edit=edit,
            excuse=_confuses_keywords,
            differs=differs,
        )
        for renderer, edit, differs in (
            ("gemma4", unchanged, _DIFFERS),
            ("gemma4-large", unchanged, _DIFFERS),
            ("gemma4-small", _without_thought, f"{_DIFFERS}; it was changed to what the small models have: no empty thought"),
        )
    ),
    Shown(
        renderer="gemma4-small",
        case="no-thinking",
        conversation=talk(user()),
        text="<s><|turn>user\nHi<turn|>\n<|turn>model\n",
    ),
    Shown(
        renderer="functiongemma",
        case="a-tool",
        conversation=talk(user(), tools=(_WEATHER,)),
        text="<s><start_of_turn>developer\nYou are a model that can do function calling with the following functions"
        "<start_function_declaration>declaration:get_current_weather{description:<escape>Gets the current weather in a given location."
        '<escape>,parameters:{properties:{location:{description:<escape>The city and state, e.g. "San Francisco, CA" or "Tokyo, JP"'
        "<escape>,type:<escape>STRING<escape>},unit:{description:<escape>The unit to return the temperature in.<escape>,"
        "enum:[<escape>celsius<escape>,<escape>fahrenheit<escape>],type:<escape>STRING<escape>}},required:[<escape>location<escape>],"
        "type:<escape>OBJECT<escape>}}<end_function_declaration><end_of_turn>\n"
        "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
    ),
    Shown(
        renderer="functiongemma",
        case="results",
        conversation=talk(
            system(),
            user(),
            assistant("", call(city="Ulm"), call("stop")),
            result('{"weather": "sunny", "temperature": 15}'),
            result("rain", name="stop"),
        ),
        text="<s><start_of_turn>developer\nBe kind<end_of_turn>\n<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"
        "<start_function_call>call:get_weather{city:<escape>Ulm<escape>}<end_function_call>"
        "<start_function_call>call:stop{}<end_function_call>"
        "<start_function_response>response:get_weather{temperature:15,weather:<escape>sunny<escape>}<end_function_response>"
        "<start_function_response>response:stop{value:<escape>rain<escape>}<end_function_response>",
    ),
    Shown(
        renderer="functiongemma",
        case="turns",
        conversation=talk(user(), assistant("", call("stop")), result("{}", name="stop"), assistant("Done"), user("And?"), assistant("So")),
        text="<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n<start_function_call>call:stop{}<end_function_call>"
        "<start_function_response>response:stop{}<end_function_response>Done<end_of_turn>\n"
        "<start_of_turn>user\nAnd?<end_of_turn>\n<start_of_turn>model\nSo",
        suffix="So",
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
    RoundTrip(renderer="gemma4-small", parser="gemma4", holds=Holds(thinking=False)),
    RoundTrip(renderer="functiongemma", parser="functiongemma", holds=Holds(thinking=False)),
    Forced(parser="gemma4", accepted=(_ULM, _ULM + _STOP), refused=("Hi", '<|tool_call>call:get_weather{city:"Ulm"}<tool_call|>')),
    Forced(parser="functiongemma", accepted=(_FUNCTION,), refused=("Hi", _ULM)),
]
