"""Say how Gemma 4 and FunctionGemma write their thinking and calls; `corral.formats` reads them."""

from __future__ import annotations

from corral.formats import CallGrammar, Format, On, Sink, State
from corral_gemma.literal_calls import literal_calls

_CALLS = literal_calls('<|"|>', "<tool_call|>")
_CALL = On("<|tool_call>", goto="content", call=_CALLS)
#: After its calls a model may go on and make up their results.
_RESULT = On("<|tool_response>", goto="result")
_STATES = {
    "content": State(Sink.CONTENT, (_CALL, _RESULT)),
    "result": State(Sink.SKIP, (On("<tool_response|>", goto="content"), _CALL)),
}
_GRAMMAR = CallGrammar(syntax=_CALLS, open="<|tool_call>", close="<tool_call|>", between="")

NO_THINKING = Format(states=_STATES, calls=_GRAMMAR)
THINKING = Format(
    states={
        **_STATES,
        "content": State(Sink.CONTENT, (On("<|channel>thought", goto="thinking"), _CALL, _RESULT)),
        "thinking": State(Sink.THINKING, (On("<channel|>", goto="content"), _CALL)),
    },
    calls=_GRAMMAR,
)

_FUNCTION_CALLS = literal_calls("<escape>", "<end_function_call>")
FUNCTION = Format(
    states={
        "content": State(
            Sink.CONTENT,
            (On("<start_function_call>", call=_FUNCTION_CALLS), On("<start_function_response>", goto="result")),
        ),
        "result": State(Sink.SKIP, (On("<end_function_response>", goto="content"),)),
    },
    calls=CallGrammar(syntax=_FUNCTION_CALLS, open="<start_function_call>", close="<end_function_call>", between=""),
)
