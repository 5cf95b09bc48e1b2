"""Qwen2.5, Qwen3, Qwen3-VL and Hermes."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral.conversation import Conversation, Message

STOP = {"type": "function", "function": {"name": "stop", "description": "Stop", "parameters": {"type": "object", "properties": {}}}}
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
NO_THINKING = Holds(thinking=False, later_system=True)
QWEN_TOOLS = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function signatures within "
    '<tools></tools> XML tags:\n<tools>\n{"type": "function", "function": {"name": "stop", "description": "Stop", "parameters": '
    '{"type": "object", "properties": {}}}}\n</tools>\n\nFor each function call, return a json object with function name and arguments '
    'within <tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
HI = "<|im_start|>user\nHi<|im_end|>\n"


LATER = "the reference was changed to what the later models have at its end and around thoughts"
#: What the templates of Qwen3-VL hold besides.
SEES = "{# <|vision_start|> video_count #}"


def always_thinking(template: str) -> str:
    """Return the template as the later models have it, which think whatever is asked for."""
    return template.split("{%- if add_generation_prompt %}")[0] + r"{{- '<|im_start|>assistant\n<think>\n' }}"


def seeing_always_thinking(template: str) -> str:
    """Return what Qwen3-VL Thinking makes of it, for text."""
    return always_thinking(template) + SEES


def seeing(template: str) -> str:
    """Return what Qwen3-VL Instruct makes of it, for text: no thoughts anywhere."""
    start = template.index("        {%- set reasoning_content = ''")
    end = template.index("        {%- if message.tool_calls %}")
    body = template[:start] + r"        {{- '<|im_start|>assistant\n' + content }}" + "\n" + template[end:]
    return body.split("{%- if add_generation_prompt %}")[0] + r"{{- '<|im_start|>assistant\n' }}" + SEES


def loses_text(conversation: Conversation) -> bool:
    first, *rest = conversation.messages
    broken = any(message.tool_calls and message.content for message in rest)
    endless = "['string', 'null']" in str(conversation.tools)
    return first.role == "tool" or broken or not conversation.tools or endless


def pictured(*texts: str) -> Message:
    return Message(role="user", content="".join(texts), images=(b"png", b"jpg"))


PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"
CASES = (
    Reference(renderer="qwen3", template="Qwen-Qwen3-0.6B.jinja", holds=Holds(later_system=True)),
    Reference(renderer="qwen2.5", template="Qwen-Qwen2.5-7B-Instruct.jinja", holds=NO_THINKING),
    Reference(
        renderer="qwen3-thinking", template="Qwen-Qwen3-0.6B.jinja", holds=Holds(later_system=True), edit=always_thinking, differs=LATER
    ),
    Reference(
        renderer="qwen3-vl-thinking",
        template="Qwen-Qwen3-0.6B.jinja",
        holds=Holds(later_system=True),
        edit=seeing_always_thinking,
        differs=LATER,
    ),
    Reference(renderer="qwen3-vl-instruct", template="Qwen-Qwen3-0.6B.jinja", holds=NO_THINKING, edit=seeing, differs=LATER),
    *(
        Reference(
            renderer="hermes",
            template=template,
            holds=NO_THINKING,
            excuse=loses_text,
            differs="the reference forgets text next to calls, never ends with union types, and is not for talk without tools",
        )
        for template in ("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", "NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja")
    ),
    Shown(renderer="qwen3", case="plain", conversation=talk(user()), text=f"{HI}<|im_start|>assistant\n"),
    Shown(
        renderer="qwen3",
        case="no-thinking",
        conversation=talk(user(), think=False),
        text=f"{HI}<|im_start|>assistant\n<think>\n\n</think>\n\n",
        suffix="<think>\n\n</think>\n\n",
    ),
    Shown(
        renderer="qwen3",
        case="tools",
        conversation=talk(
            system(), user(), assistant("so", call("stop"), call("stop"), thinking="hm\n"), result("1"), result("2"), tools=(STOP,)
        ),
        text=f"<|im_start|>system\nBe kind\n\n{QWEN_TOOLS}<|im_end|>\n{HI}<|im_start|>assistant\n<think>\nhm\n</think>\n\nso\n"
        '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>\n'
        '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
    ),
    Shown(
        renderer="qwen3",
        case="old-thoughts",
        conversation=talk(user(), assistant("<think>\nhm\n</think>\n\nso"), user()),
        text=f"{HI}<|im_start|>assistant\nso<|im_end|>\n{HI}<|im_start|>assistant\n",
    ),
    Shown(
        renderer="qwen3",
        case="prefill",
        conversation=talk(user(), assistant("I th", thinking="hm")),
        text=f"{HI}<|im_start|>assistant\n<think>\nhm\n</think>\n\nI th",
        suffix="<think>\nhm\n</think>\n\nI th",
    ),
    Shown(
        renderer="qwen3-thinking",
        case="prefilled-thought",
        conversation=talk(user(), assistant(thinking="I th")),
        text=f"{HI}<|im_start|>assistant\n<think>\nI th",
        suffix="<think>\nI th",
    ),
    Shown(
        renderer="qwen3-thinking", case="plain", conversation=talk(user()), text=f"{HI}<|im_start|>assistant\n<think>\n", suffix="<think>\n"
    ),
    Shown(
        renderer="qwen2.5",
        case="tools",
        conversation=talk(user(), assistant("", call("stop")), tools=(STOP,)),
        text="<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.\n\n"
        f"{QWEN_TOOLS}<|im_end|>\n{HI}<|im_start|>assistant\n"
        '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call><|im_end|>\n<|im_start|>assistant\n',
    ),
    Shown(
        renderer="qwen2.5",
        case="prefill",
        conversation=talk(system(), user(), assistant("I th")),
        text=f"<|im_start|>system\nBe kind<|im_end|>\n{HI}<|im_start|>assistant\nI th",
        suffix="I th",
    ),
    Shown(
        renderer="qwen3-vl-instruct",
        case="pictures",
        conversation=talk(pictured("What?")),
        text=f"<|im_start|>user\n{PICTURE}{PICTURE}What?<|im_end|>\n<|im_start|>assistant\n",
    ),
    Shown(
        renderer="qwen3-vl-thinking",
        case="pictures",
        conversation=talk(pictured("What?")),
        text=f"<|im_start|>user\n{PICTURE}{PICTURE}What?<|im_end|>\n<|im_start|>assistant\n<think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="hermes",
        case="plain",
        conversation=talk(system(), user()),
        text=f"<s><|im_start|>system\nBe kind<|im_end|>\n{HI}<|im_start|>assistant\n",
    ),
    Shown(
        renderer="hermes",
        case="text-next-to-calls",
        conversation=talk(user(), assistant("so", call("stop")), result("1"), user()),
        text=f'<s>{HI}<|im_start|>assistant\nso\n<tool_call>\n{{"name": "stop", "arguments": {{}}}}\n</tool_call><|im_end|>\n'
        f"<|im_start|>tool\n<tool_response>\n1\n</tool_response>\n<|im_end|>{HI}<|im_start|>assistant\n",
    ),
    *(RoundTrip(renderer=name, parser=name) for name in ("qwen3", "qwen3-thinking", "qwen3-vl-thinking")),
    *(RoundTrip(renderer=name, parser=name, holds=NO_THINKING) for name in ("qwen2.5", "qwen3-vl-instruct", "hermes")),
    Answered(parser="qwen3", text="<think>\nhm\n</think>\n\nso", thinking="hm", content="so"),
    Answered(parser="qwen3", text="so", suffix="<think>\n\n</think>\n\n", content="so"),
    Answered(parser="qwen3-thinking", text="hm\n</think>\n\nso", suffix="<think>\n", thinking="hm", content="so"),
    Answered(parser="qwen3-thinking", text="hm", suffix="<think>\n", thinking="hm"),
    Answered(parser="qwen3", text="a </think> b", content="a </think> b"),
    Answered(parser="qwen2.5", text="<think>so</think>", content="<think>so</think>"),
    Answered(parser="hermes", text=f"look: {CALL}", content="look:", calls=(("get_weather", {"city": "Ulm"}, OK),)),
    Answered(
        parser="qwen3",
        text=f"<think>\nhm\n{CALL}\n{CALL}",
        thinking="hm",
        calls=(("get_weather", {"city": "Ulm"}, OK), ("get_weather", {"city": "Ulm"}, OK)),
    ),
    Answered(
        parser="qwen3", text='<tool_call>{"name": "get_weather", "arguments": {"city": "U', calls=(("get_weather", {"city": "U"}, CUT),)
    ),
    Answered(parser="qwen3", text="<tool_call> is a tag", content="<tool_call> is a tag"),
    Answered(parser="qwen3-vl-instruct", text="<tool_call>\n{}\n</tool_call>", content="<tool_call>\n{}\n</tool_call>"),
    *(
        Forced(
            parser=name,
            accepted=('<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>', CALL, f"{CALL}\n{CALL}"),
            refused=("no", CALL[:-1]),
        )
        for name in ("qwen2.5", "hermes", "qwen3", "qwen3-vl-instruct")
    ),
    Forced(parser="qwen3-thinking", suffix="<think>\n", accepted=(f"hm\n</think>\n\n{CALL}",), refused=(CALL,)),
    Forced(parser="qwen3", think=True, accepted=(f"<think>hm</think>\n{CALL}", CALL), refused=(f"hm{CALL}",)),
)
