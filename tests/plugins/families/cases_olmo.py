"""Olmo 3."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, RoundTrip, Shown, assistant, call, result, system, talk, user

READ = ("get_weather", {"city": "Ulm", "days": 3}, OK)
CALLS = '<function_calls>get_weather(city="Ulm", days=3)\nstop()</function_calls>'

NAMED = (
    "You are Olmo, a helpful AI assistant built by Ai2. Your date cutoff is December 2024, and your model weights are available at "
    "https://huggingface.co/allenai."
)
NO_TOOLS = " You do not currently have access to any functions. <functions></functions>"
HI = "<|im_start|>user\nHi<|im_end|>\n"
STOP = {"type": "function", "function": {"name": "stop"}}
FUNCTIONS = '<functions>[{"type": "function", "function": {"name": "stop"}}]</functions>'

CASES = (
    Shown(
        renderer="olmo3",
        case="plain",
        conversation=talk(user()),
        text=f"<|im_start|>system\nYou are a helpful function-calling AI assistant.{NO_TOOLS}<|im_end|>\n{HI}<|im_start|>assistant\n",
    ),
    Shown(
        renderer="olmo3.1",
        case="tools",
        conversation=talk(user(), assistant("so", call(city="Ulm", days=3), call("stop")), result("rain"), tools=(STOP,)),
        text=f"<|im_start|>system\n{NAMED} You are provided with function signatures within <functions></functions> XML tags. "
        "You may call one or more functions to assist "
        "with the user query. Output any function calls within <function_calls></function_calls> XML tags. "
        f"Do not make assumptions about what values to plug into functions.{FUNCTIONS}<|im_end|>\n{HI}"
        f"<|im_start|>assistant\nso{CALLS}<|im_end|>\n<|im_start|>environment\nrain<|im_end|>\n<|im_start|>assistant\n",
    ),
    Shown(
        renderer="olmo3",
        case="own-system",
        conversation=talk(system(), user(), assistant("I th"), tools=(STOP,)),
        text=f"<|im_start|>system\nBe kind{FUNCTIONS}<|im_end|>\n{HI}<|im_start|>assistant\nI th",
        suffix="I th",
    ),
    Shown(
        renderer="olmo3-think",
        case="plain",
        conversation=talk(user()),
        text=f"<|im_start|>system\n{NAMED}<|im_end|>\n{HI}<|im_start|>assistant\n<think>",
        suffix="<think>",
    ),
    Shown(
        renderer="olmo3-32b-think",
        case="own-system",
        conversation=talk(system(), user(), assistant("I th", thinking="hm")),
        text=f"<|im_start|>system\nBe kind{NO_TOOLS}<|im_end|>\n{HI}<|im_start|>assistant\n<think>hm</think>I th",
        suffix="<think>hm</think>I th",
    ),
    RoundTrip(renderer="olmo3", parser="olmo3", holds=Holds(thinking=False)),
    Answered(parser="olmo3", text=f"so\n{CALLS}", content="so", calls=(READ, ("stop", {}, OK))),
    Answered(parser="olmo3", text=CALLS.split("stop")[0], calls=(READ,)),
    Answered(parser="olmo3", text='<function_calls>get_weather(city="U', calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="olmo3", text="<function_calls>?</function_calls>", content="<function_calls>?</function_calls>"),
    Answered(parser="olmo3-think", suffix="<think>", text="hm</think>\n\nso", thinking="hm", content="so"),
    Answered(parser="olmo3-think", text="<think>hm</think>so <function_calls>", thinking="hm", content="so <function_calls>"),
    Forced(parser="olmo3", accepted=(CALLS, "<function_calls>stop()</function_calls>"), refused=("so", CALLS[:-1])),
)
