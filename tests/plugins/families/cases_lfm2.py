"""LFM2 and LFM2.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

if TYPE_CHECKING:
    from corral.conversation import Conversation

HI = "<|im_start|>user\nHi<|im_end|>\n"
CALL = "<|tool_call_start|>[get_weather(city='Ulm')]<|tool_call_end|>"
READ = ("get_weather", {"city": "Ulm"}, OK)
STOP = {"type": "function", "function": {"name": "stop"}}
STOP_TEXT = '{"type": "function", "function": {"name": "stop"}}'
VALUES = call("f", a="it's", b=1, c=None, d=[True, "x"], e={"k": True})
THOUGHT_CALL = "<think>hm</think><|tool_call_start|>[stop()]<|tool_call_end|>"


def forgets_calls(conversation: Conversation) -> bool:
    return any(message.tool_calls for message in conversation.messages)


def breaks_quotes(conversation: Conversation) -> bool:
    values = [value for message in conversation.messages for made in message.tool_calls for value in made.arguments.values()]
    return any(isinstance(value, str) and any(mark in value for mark in "'\\\n\t") for value in values)


FORGETFUL = "the reference forgets calls"
PLAIN = Holds(thinking=False, later_system=True)
CASES = (
    Reference(renderer="lfm2", template="LFM2-8B-A1B.jinja", holds=PLAIN, excuse=forgets_calls, differs=FORGETFUL),
    Reference(renderer="lfm2.5", template="LFM2.5-Instruct.jinja", holds=PLAIN, excuse=forgets_calls, differs=FORGETFUL),
    Reference(
        renderer="lfm2-thinking",
        template="LFM2.5-8B-A1B.jinja",
        holds=Holds(later_system=True),
        excuse=breaks_quotes,
        differs="the reference escapes no quotes in arguments",
    ),
    Shown(
        renderer="lfm2",
        case="tools",
        conversation=talk(system(), user(), assistant("so", call(city="Ulm")), result("rain"), tools=(STOP, STOP)),
        text=f"<s><|im_start|>system\nBe kind\nList of tools: <|tool_list_start|>[{STOP_TEXT}, {STOP_TEXT}]<|tool_list_end|><|im_end|>\n"
        f"{HI}<|im_start|>assistant\nso{CALL}<|im_end|>\n"
        "<|im_start|>tool\n<|tool_response_start|>rain<|tool_response_end|><|im_end|>\n<|im_start|>assistant\n",
    ),
    Shown(
        renderer="lfm2.5",
        case="old-thoughts",
        conversation=talk(user(), assistant("<think>hm</think> so"), user(), assistant("<think>hm</think> so"), user(), tools=(STOP,)),
        text=f"<s><|im_start|>system\nList of tools: [{STOP_TEXT}]<|im_end|>\n{HI}<|im_start|>assistant\nso<|im_end|>\n"
        f"{HI}<|im_start|>assistant\n<think>hm</think> so<|im_end|>\n{HI}<|im_start|>assistant\n",
    ),
    Shown(
        renderer="lfm2-thinking",
        case="values",
        conversation=talk(user(), assistant("", VALUES, thinking="hm"), result("1")),
        text=f"<s>{HI}<|im_start|>assistant\n<think>hm</think><|tool_call_start|>"
        "[f(a='it\\'s', b=1, c=None, d=[True, 'x'], e={\"k\": true})]"
        "<|tool_call_end|><|im_end|>\n<|im_start|>tool\n1<|im_end|>\n<|im_start|>assistant\n",
    ),
    Shown(
        renderer="lfm2-thinking",
        case="prefill",
        conversation=talk(user(), assistant("I th", thinking="hm")),
        text=f"<s>{HI}<|im_start|>assistant\n<think>hm</think>I th",
        suffix="<think>hm</think>I th",
    ),
    RoundTrip(renderer="lfm2", parser="lfm2", holds=PLAIN),
    RoundTrip(renderer="lfm2.5", parser="lfm2", holds=PLAIN),
    RoundTrip(renderer="lfm2-thinking", parser="lfm2-thinking", reserved=("<",)),
    Answered(parser="lfm2", text=f"so{CALL}", content="so", calls=(READ,)),
    Answered(parser="lfm2", text=CALL.replace(")]", "), stop()]"), calls=(READ, ("stop", {}, OK))),
    Answered(parser="lfm2", text=CALL.split("m'")[0], calls=(("get_weather", {"city": "Ul"}, CUT),)),
    Answered(parser="lfm2", text="<|tool_call_start|>?", content="<|tool_call_start|>?"),
    Answered(parser="lfm2-thinking", text=f"<think>hm</think>so\n{CALL}", thinking="hm", content="so", calls=(READ,)),
    Answered(parser="lfm2-thinking", suffix="<think>hm", text=" hm</think>so", thinking=" hm", content="so"),
    Forced(
        parser="lfm2",
        accepted=('<|tool_call_start|>[get_weather(city="Ulm"), stop()]<|tool_call_end|>',),
        refused=("so", "<|tool_call_start|>[f()]<|tool_call_end|>"),
    ),
    Forced(parser="lfm2-thinking", think=True, accepted=(THOUGHT_CALL,), refused=("so",)),
)
