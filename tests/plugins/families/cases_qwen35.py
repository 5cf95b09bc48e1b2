"""Qwen3.5 and its followers."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral.conversation import Message
from corral.formats import HOW_TO_CALL_XML

HI = "<|im_start|>user\nHi<|im_end|>\n"
CALL = "<tool_call>\n<function=get_weather>\n<parameter=city>\nUlm\n</parameter>\n</function>\n</tool_call>"
READ = ("get_weather", {"city": "Ulm"}, OK)

LOW = (
    "Reasoning effort is set to low. Keep your thinking brief and focused, "
    "moving directly to the conclusion without unnecessary elaboration."
)
HIGH = (
    "Reasoning effort is set to xhigh. Please think carefully through the task, validate key assumptions, consider plausible alternatives, "
    "and prioritize correctness, consistency, and clarity in the final answer."
)
EFFORT = (
    "{%- set resolved_reasoning_effort = reasoning_effort|default('high') %}"
    f"{{%- set told = {{'low': '{LOW}', 'medium': '', 'high': '{HIGH}'}}[resolved_reasoning_effort] %}}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{%- set told = '' %}{%- endif %}"
)
ONLY_EFFORT = (
    "{%- if told and not tools and messages[0].role != 'system' %}"
    r"{{- '<|im_start|>system\n' + told + '<|im_end|>\n' }}{%- endif %}"
)
BOTH = (
    r"{%- if told or content %}{{- '<|im_start|>system\n' + told + ('\n\n' if told and content else '') + content + '<|im_end|>\n' }}"
    "{%- endif %}"
)
#: What the template of Qwen3.8 changes in Qwen3.5's.
LATER = (
    ("{%- if tools and tools is iterable", EFFORT + "{%- if tools and tools is iterable"),
    ('{{- "# Tools', r"{{- told + '\n\n' if told else '' }}" + '{{- "# Tools'),
    (r"{{- '<|im_start|>system\n' + content + '<|im_end|>\n' }}", BOTH),
    ("{%- set ns = namespace(multi_step_tool", ONLY_EFFORT + "{%- set ns = namespace(multi_step_tool"),
    ("{%- if '</think>' in content %}", "{%- if false %}"),
    ("{%- if loop.index0 > ns.last_query_index %}", "{%- if true %}"),
    ("if args_value is mapping or (args_value is sequence and args_value is not string)", "if args_value is not string"),
)


def later(template: str) -> str:
    """Return the template as Qwen3.8 has it."""
    for old, new in LATER:
        assert old in template
        template = template.replace(old, new)
    return template


def all_thoughts(template: str) -> str:
    """Return the template as Ornith has it."""
    return template.replace("{%- if loop.index0 > ns.last_query_index %}", "{%- if true %}")


CASES = (
    Reference(renderer="qwen3.5", template="Qwen3.5-4B.jinja"),
    Reference(
        renderer="qwen3.8",
        template="Qwen3.5-4B.jinja",
        holds=Holds(think=(None, True, False, "low", "medium", "high")),
        edit=later,
        differs="the reference was changed to what Qwen3.8 has",
    ),
    Reference(
        renderer="ornith",
        template="Qwen3.5-4B.jinja",
        edit=all_thoughts,
        differs="the reference was changed to show all thoughts, as Ornith was taught",
    ),
    Shown(
        renderer="ornith",
        case="all-thoughts",
        conversation=talk(user(), assistant("<think>\nhm\n</think>\n\nso"), user(), assistant("so"), user(), think=False),
        text=f"{HI}<|im_start|>assistant\n<think>\nhm\n</think>\n\nso<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n\n</think>\n\nso<|im_end|>\n"
        f"{HI}<|im_start|>assistant\n<think>\n\n</think>\n\n",
        suffix="<think>\n\n</think>\n\n",
    ),
    RoundTrip(renderer="ornith", parser="ornith"),
    Reference(renderer="step3.5", template="StepFun3.5-Flash.jinja", holds=Holds(later_system=True)),
    Shown(
        renderer="step3.5",
        case="results",
        conversation=talk(
            system(),
            user(),
            assistant("so", thinking="hm"),
            user(),
            assistant("so", call(city="Ulm"), call("stop")),
            result("1"),
            result("2"),
        ),
        text=f"<s><|im_start|>system\nBe kind<|im_end|>\n{HI}<|im_start|>assistant\nso<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n\n"
        f"</think>\nso{CALL}<tool_call>\n<function=stop>\n</function>\n</tool_call><|im_end|>\n<|im_start|>tool_response\n"
        "<tool_response>1</tool_response><tool_response>2</tool_response><|im_end|>\n<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="step3.5",
        case="a-beginning",
        conversation=talk(user(), assistant("I th", thinking="hm")),
        text=f"<s>{HI}<|im_start|>assistant\n<think>\nhm\n</think>\nI th",
        suffix="<think>\nhm\n</think>\nI th",
    ),
    RoundTrip(renderer="step3.5", parser="qwen3.5"),
    Shown(
        renderer="qwen3.8",
        case="effort",
        conversation=talk(system(), user(), assistant("so", thinking="hm"), user(), think="low"),
        text=f"<|im_start|>system\n{LOW}\n\nBe kind<|im_end|>\n{HI}<|im_start|>assistant\n<think>\nhm\n</think>\n\nso<|im_end|>\n"
        f"{HI}<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="qwen3.8",
        case="plain",
        conversation=talk(user()),
        text=f"<|im_start|>system\n{HIGH}<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    RoundTrip(renderer="qwen3.8", parser="qwen3.5"),
    Shown(
        renderer="qwen3.5",
        case="plain",
        conversation=talk(system(" Be kind\n"), user(" Hi ")),
        text=f"<|im_start|>system\nBe kind<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="qwen3.5",
        case="no-thinking",
        conversation=talk(user(), think=False),
        text=f"{HI}<|im_start|>assistant\n<think>\n\n</think>\n\n",
        suffix="<think>\n\n</think>\n\n",
    ),
    Shown(
        renderer="qwen3.5",
        case="calls",
        conversation=talk(user(), assistant("so", call(city="Ulm"), call("stop")), result("1"), result("2")),
        text=f"{HI}<|im_start|>assistant\n<think>\n\n</think>\n\nso\n\n{CALL}\n<tool_call>\n<function=stop>\n</function>\n</tool_call>"
        "<|im_end|>\n<|im_start|>user\n<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="qwen3.5",
        case="tools",
        conversation=talk(system(), user(), tools=({"type": "function", "function": {"name": "stop"}},)),
        text="<|im_start|>system\n# Tools\n\nYou have access to the following functions:\n\n<tools>\n"
        '{"type": "function", "function": {"name": "stop"}}'
        f"\n</tools>{HOW_TO_CALL_XML}\n\nBe kind<|im_end|>\n{HI}<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="qwen3.5",
        case="picture",
        conversation=talk(Message(role="user", content=" What? ", images=(b"png",))),
        text="<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|> What?<|im_end|>\n<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="qwen3.5",
        case="prefill",
        conversation=talk(user(), assistant("I th", thinking="hm\n")),
        text=f"{HI}<|im_start|>assistant\n<think>\nhm\n</think>\n\nI th",
        suffix="<think>\nhm\n</think>\n\nI th",
    ),
    RoundTrip(renderer="qwen3.5", parser="qwen3.5"),
    Answered(parser="qwen3.5", suffix="<think>\n", text=f"hm\n</think>\n\nso\n\n{CALL}", thinking="hm", content="so", calls=(READ,)),
    Answered(parser="qwen3.5", suffix="<think>\n", text=f"hm\n{CALL}\n{CALL}", thinking="hm", calls=(READ, READ)),
    Answered(parser="qwen3.5", suffix="<think>\n\n</think>\n\n", text="so <tool", content="so <tool"),
    Answered(parser="qwen3.5", text=CALL.removeprefix("<tool_call>\n"), calls=(READ,)),
    Answered(parser="qwen3.5", text='<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm"}}\n</tool_call>', calls=(READ,)),
    Answered(
        parser="qwen3.5",
        text="<tool_call>\n<function=get_weather>\n<parameter=city>\nU",
        calls=(("get_weather", {"city": "U"}, CUT),),
    ),
    Forced(parser="qwen3.5", suffix="<think>\n", accepted=(f"hm\n</think>\n\n{CALL}",), refused=(CALL, "hm\n</think>\n\nso")),
    Forced(parser="qwen3.5", suffix="<think>\n\n</think>\n\n", accepted=(CALL, f"{CALL}\n{CALL}"), refused=("so",)),
)
