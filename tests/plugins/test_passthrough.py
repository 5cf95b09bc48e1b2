"""The passthrough parser changes nothing."""

from __future__ import annotations

from corral.conversation import Conversation, Prompt
from corral.formats import fold
from corral.plugins import PluginHost
from corral.testing import model_spec


def test_tags_and_white_space_are_content() -> None:
    parser = PluginHost.load(("passthrough",)).parse_output(
        model_spec(parser="passthrough"), Conversation(messages=()), Prompt(segments=())
    )
    text = " <think>a</think>\n<tool_call>{}</tool_call> \n"
    answer = fold(parser.feed(text) + parser.finish("stop"))
    assert (answer.content, answer.thinking, answer.tool_calls) == (text, "", ())
