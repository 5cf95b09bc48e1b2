"""The fixed texts of the reference templates, byte for byte."""

from __future__ import annotations

THIRD_BEFORE_TOOLS = "# Tools\n\nYou have access to the following functions:\n\n<tools>"
#: Said behind the last question to a model that shall think little.
EFFICIENT = "\n\n{reasoning effort: efficient}"

SECOND_BEFORE_TOOLS = "You can use the following tools to assist the user if required:\n<AVAILABLE_TOOLS>["
SECOND_AFTER_TOOLS = """]</AVAILABLE_TOOLS>

If you decide to call any tool(s), use the following format:
<TOOLCALL>[{{"name": "tool_name1", "arguments": "tool_args1"}}, {{"name": "tool_name2", "arguments": "tool_args2"}}]</TOOLCALL>

The user will execute tool-calls and return responses from tool(s) in this format:
<TOOL_RESPONSE>[{{"tool_response1"}}, {{"tool_response2"}}]</TOOL_RESPONSE>

Based on the tool responses, you can call additional tools if needed, correct tool calls if any errors are found, or just respond to \
the user."""
