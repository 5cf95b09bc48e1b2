"""SmolLM3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

if TYPE_CHECKING:
    from corral.conversation import Conversation

HI = "<|im_start|>user\nHi<|im_end|>\n"
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
READ = ("get_weather", {"city": "Ulm"}, OK)
STOP = {"type": "function", "function": {"name": "stop"}}
TOLD = (
    "<|im_start|>system\n## Metadata\n\nKnowledge Cutoff Date: June 2025\nReasoning Mode: %s\n\n## Custom Instructions\n\nBe kind\n\n"
    "%s<|im_end|>\n"
)
TOOLS = (
    "### Tools\n\nYou may call one or more functions to assist with the user query.\nYou are provided with function signatures within "
    '<tools></tools> XML tags:\n\n<tools>\n{"type": "function", "function": {"name": "stop"}}\n</tools>\n\nFor each function call, '
    "return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n"
    '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>\n\n'
)


def forgets_tools(conversation: Conversation) -> bool:
    return bool(conversation.tools) or any(message.tool_calls for message in conversation.messages)


CASES = (
    Reference(
        renderer="smollm3",
        template="HuggingFaceTB-SmolLM3-3B.jinja",
        holds=Holds(tools=False, calls=False),
        excuse=forgets_tools,
        differs="the reference forgets tools and calls",
    ),
    Shown(
        renderer="smollm3",
        case="tools",
        conversation=talk(system(), user(), assistant("so", call(city="Ulm")), result("rain"), tools=(STOP,)),
        text=f"{TOLD % ('/think', TOOLS)}{HI}<|im_start|>assistant\nso\n{CALL}<|im_end|>\n"
        "<|im_start|>user\nrain<|im_end|>\n<|im_start|>assistant\n",
    ),
    Shown(
        renderer="smollm3",
        case="no-thinking",
        conversation=talk(system("Be kind /no_think"), user(), assistant("\nso"), user()),
        text=f"{TOLD % ('/no_think', '')}{HI}<|im_start|>assistant\n<think>\n\n</think>\nso<|im_end|>\n"
        f"{HI}<|im_start|>assistant\n<think>\n\n</think>\n",
        suffix="<think>\n\n</think>\n",
    ),
    Shown(
        renderer="smollm3",
        case="prefill",
        conversation=talk(system(), user(), assistant("I th", thinking="hm")),
        text=f"{TOLD % ('/think', '')}{HI}<|im_start|>assistant\n<think>\nhm\n</think>\nI th",
        suffix="<think>\nhm\n</think>\nI th",
    ),
    RoundTrip(renderer="smollm3", parser="smollm3", holds=Holds(thinking=False)),
    Answered(parser="smollm3", text=f"<think>\nhm\n</think>\nso\n{CALL}\n", thinking="hm", content="so", calls=(READ,)),
    Answered(parser="smollm3", suffix="<think>\n\n</think>\n", text="so <tool", content="so <tool"),
    Forced(parser="smollm3", think=True, accepted=(f"<think>\nhm\n</think>\n{CALL}", CALL), refused=("so",)),
)
