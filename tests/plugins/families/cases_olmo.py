"""Olmo 3, whose answers only are ours to read."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced

READ = ("get_weather", {"city": "Ulm", "days": 3}, OK)
CALLS = '<function_calls>get_weather(city="Ulm", days=3)\nstop()</function_calls>'

CASES = (
    Answered(parser="olmo3", text=f"so\n{CALLS}", content="so", calls=(READ, ("stop", {}, OK))),
    Answered(parser="olmo3", text=CALLS.split("stop")[0], calls=(READ,)),
    Answered(parser="olmo3", text='<function_calls>get_weather(city="U', calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="olmo3", text="<function_calls>?</function_calls>", content="<function_calls>?</function_calls>"),
    Answered(parser="olmo3-think", suffix="<think>", text="hm</think>\n\nso", thinking="hm", content="so"),
    Answered(parser="olmo3-think", text="<think>hm</think>so <function_calls>", thinking="hm", content="so <function_calls>"),
    Forced(parser="olmo3", accepted=(CALLS, "<function_calls>stop()</function_calls>"), refused=("so", CALLS[:-1])),
)
