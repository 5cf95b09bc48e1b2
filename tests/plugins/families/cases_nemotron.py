"""Nemotron Nano v2, 3 and 3.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import (
    CUT,
    OK,
    Answered,
    Forced,
    Holds,
    Reference,
    RoundTrip,
    Shown,
    assistant,
    call,
    result,
    system,
    talk,
    thinking_variables,
    user,
)

from corral.formats import HOW_TO_CALL_XML
from corral_nemotron.wording import SECOND_AFTER_TOOLS

if TYPE_CHECKING:
    from corral.conversation import Conversation, JsonObject

HI = "<|im_start|>user\nHi<|im_end|>\n"
CALL = "<tool_call>\n<function=get_weather>\n<parameter=city>\nUlm\n</parameter>\n</function>\n</tool_call>"
READ = ("get_weather", {"city": "Ulm"}, OK)
LIST = '<TOOLCALL>[{"name": "get_weather", "arguments": {"city": "Ulm"}}, {"name": "stop", "arguments": {}}]</TOOLCALL>'
STOP = {"type": "function", "function": {"name": "stop"}}


def ends_with_calls(conversation: Conversation) -> bool:
    return conversation.messages[-1].role == "assistant"


def efforts(conversation: Conversation) -> JsonObject:
    return {**thinking_variables(conversation), "medium_effort": conversation.think in ("low", "medium")}


#: What the template of 3.5 Nano changes in 3 Nano's.
LATER = (
    (r'~ message.reasoning_content ~ "\n</think>\n" ~', '~ message.reasoning_content ~ "</think>" ~'),
    ('"<think></think>" ~ c | trim %}', '"<think></think>" ~ c %}'),
    (
        "{{- content }}",
        r"{{- content + ('\n\n{reasoning effort: efficient}' if medium_effort and loop.index0 == ns.last_user_idx else '') }}",
    ),
)


def later(template: str) -> str:
    """Return the template as 3.5 Nano has it."""
    for old, new in LATER:
        assert old in template
        template = template.replace(old, new)
    return template


CASES = (
    Reference(renderer="nemotron-3-nano", template="NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja", holds=Holds(later_system=True)),
    Reference(
        renderer="nemotron-nano-v2",
        template="NVIDIA-Nemotron-Nano-v2.jinja",
        holds=Holds(think=(None,)),
        excuse=ends_with_calls,
        differs="the reference forgets calls of a last turn",
    ),
    Reference(
        renderer="nemotron-3.5-nano",
        template="NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja",
        holds=Holds(later_system=True, think=(None, True, False, "low", "medium", "high")),
        variables=efforts,
        edit=later,
        differs="the reference was changed to what 3.5 Nano has",
    ),
    Shown(
        renderer="nemotron-3.5-nano",
        case="efficient",
        conversation=talk(
            user(), assistant("so", call("stop"), thinking="hm"), user(), assistant("so", thinking="hm"), user(), think="medium"
        ),
        text=f"<|im_start|>system\n<|im_end|>\n{HI}<|im_start|>assistant\n<think></think>so\n"
        "<tool_call>\n<function=stop>\n</function>\n</tool_call>\n<|im_end|>\n"
        f"{HI}<|im_start|>assistant\n<think></think>so<|im_end|>\n"
        "<|im_start|>user\nHi\n\n{reasoning effort: efficient}<|im_end|>\n<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="nemotron-3.5-nano",
        case="thoughts",
        conversation=talk(user(), assistant("so", call("stop"), thinking="hm"), result("1")),
        text=f"<|im_start|>system\n<|im_end|>\n{HI}<|im_start|>assistant\n<think>\nhm</think>so\n"
        "<tool_call>\n<function=stop>\n</function>\n</tool_call>\n<|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n1\n</tool_response>\n<|im_end|>\n<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="nemotron-3-nano",
        case="plain",
        conversation=talk(user()),
        text=f"<|im_start|>system\n<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="nemotron-3-nano",
        case="no-thinking",
        conversation=talk(system(), user(), think=False),
        text=f"<|im_start|>system\nBe kind<|im_end|>\n{HI}<|im_start|>assistant\n<think></think>",
        suffix="<think></think>",
    ),
    Shown(
        renderer="nemotron-3-nano",
        case="calls",
        conversation=talk(user(), assistant("so", call(city="Ulm"), call("stop"), thinking="hm"), result("1"), result("2")),
        text=f"<|im_start|>system\n<|im_end|>\n{HI}<|im_start|>assistant\n<think>\nhm\n</think>\nso\n{CALL}\n"
        "<tool_call>\n<function=stop>\n</function>\n</tool_call>\n<|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response>\n<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="nemotron-3-nano",
        case="old-thoughts",
        conversation=talk(user(), assistant("so", thinking="hm"), user()),
        text=f"<|im_start|>system\n<|im_end|>\n{HI}<|im_start|>assistant\n<think></think>\nso<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="nemotron-3-nano",
        case="tools",
        conversation=talk(system(), user(), tools=(STOP,)),
        text="<|im_start|>system\nBe kind\n\n# Tools\n\nYou have access to the following functions:\n\n<tools>"
        "\n<function>\n<name>stop</name>\n"
        f"<parameters>\n</parameters>\n</function>\n</tools>{HOW_TO_CALL_XML}<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="nemotron-3-nano",
        case="prefill",
        conversation=talk(user(), assistant("I th")),
        text=f"<|im_start|>system\n<|im_end|>\n{HI}<|im_start|>assistant\n<think></think>I th",
        suffix="<think></think>I th",
    ),
    Shown(
        renderer="nemotron-nano-v2",
        case="calls",
        conversation=talk(
            system("Be kind /no_think"), user(), assistant("so", call(city="Ulm"), call("stop")), result("1"), result("2"), tools=(STOP,)
        ),
        text="<SPECIAL_10>System\nBe kind /no_think\n\nYou can use the following tools to assist the user if required:\n"
        f'<AVAILABLE_TOOLS>[{{"name": "stop"}}{SECOND_AFTER_TOOLS}\n\n<SPECIAL_11>User\nHi\n'
        f"<SPECIAL_11>Assistant\nso\n{LIST}\n<SPECIAL_12>\n"
        "<SPECIAL_11>User\n<TOOL_RESPONSE>[1, 2]</TOOL_RESPONSE><SPECIAL_11>Assistant\n<think></think>".replace(" /no_think", ""),
        suffix="<think></think>",
    ),
    Shown(
        renderer="nemotron-nano-v2",
        case="plain",
        conversation=talk(user("Hi /think")),
        text="<SPECIAL_10>System\n\n\n<SPECIAL_11>User\nHi\n<SPECIAL_11>Assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="nemotron-nano-v2",
        case="prefill",
        conversation=talk(user(), assistant("I th", thinking="hm")),
        text="<SPECIAL_10>System\n\n\n<SPECIAL_11>User\nHi\n<SPECIAL_11>Assistant\n<think>\nhm\n</think>\n\nI th",
        suffix="<think>\nhm\n</think>\n\nI th",
    ),
    RoundTrip(renderer="nemotron-3-nano", parser="nemotron-3-nano"),
    RoundTrip(renderer="nemotron-3.5-nano", parser="nemotron-3.5-nano"),
    RoundTrip(renderer="nemotron-nano-v2", parser="nemotron-nano-v2", holds=Holds(thinking=False)),
    *(
        Answered(parser=parser, suffix="<think>\n", text=f"hm\n</think>\nso\n{CALL}\n", thinking="hm", content="so", calls=(READ,))
        for parser in ("nemotron-3-nano", "nemotron-3.5-nano")
    ),
    Answered(parser="nemotron-3-nano", suffix="<think></think>", text="so <tool", content="so <tool"),
    Answered(parser="nemotron-3-nano", suffix="<think>\n", text=f"hm\n{CALL}", thinking="hm", calls=(READ,)),
    Answered(parser="nemotron-nano-v2", suffix="<think>\n", text=f"hm\n</think>\n\n{LIST}", thinking="hm", calls=(READ, ("stop", {}, OK))),
    Answered(parser="nemotron-nano-v2", text=LIST.split('m"')[0], calls=(("get_weather", {"city": "Ul"}, CUT),)),
    Answered(parser="nemotron-nano-v2", text="<TOOLCALL>[no]</TOOLCALL>", content="<TOOLCALL>[no]</TOOLCALL>"),
    Forced(parser="nemotron-3-nano", suffix="<think>\n", accepted=(f"hm\n</think>\n{CALL}",), refused=(CALL,)),
    Forced(parser="nemotron-nano-v2", suffix="<think></think>", accepted=(LIST,), refused=(LIST[:-1], "so")),
)
