"""The fixed texts of the reference templates, byte for byte."""

from __future__ import annotations

from types import MappingProxyType

BEFORE_TOOLS = "# Tools\n\nYou have access to the following functions:\n\n<tools>"

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
