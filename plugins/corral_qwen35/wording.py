"""The fixed texts of the reference templates, byte for byte."""

from __future__ import annotations

from types import MappingProxyType

BEFORE_TOOLS = "# Tools\n\nYou have access to the following functions:\n\n<tools>"
AFTER_TOOLS = """
</tools>

If you choose to call a function ONLY reply in the following format with NO suffix:

<tool_call>
<function=example_function_name>
<parameter=example_parameter_1>
value_1
</parameter>
<parameter=example_parameter_2>
This is the value for the second parameter
that can span
multiple lines
</parameter>
</function>
</tool_call>

<IMPORTANT>
Reminder:
- Function calls MUST follow the specified format: an inner <function=...></function> block must be nested within \
<tool_call></tool_call> XML tags
- Required parameters MUST be specified
- You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after
- If there is no function call available, answer the question like normal with your current knowledge and do not tell the user about \
function calls
</IMPORTANT>"""

#: How hard to think, in words; nothing is said of a medium effort.
EFFORTS = MappingProxyType(
    {
        "low": "Reasoning effort is set to low. Keep your thinking brief and focused, moving directly to the conclusion without "
        "unnecessary elaboration.",
        "medium": "",
        "high": "Reasoning effort is set to xhigh. Please think carefully through the task, validate key assumptions, consider plausible "
        "alternatives, and prioritize correctness, consistency, and clarity in the final answer.",
    }
)
