"""Where a model goes: a pure function of its header, the devices, and what was asked for."""

from __future__ import annotations

from corral.placement.demand import as_placed, smallest_automatic_context, usable_context
from corral.placement.explaining import Account, Explanation, HostAccount
from corral.placement.footprint import Footprint, measure
from corral.placement.place import place
from corral.placement.planner import Planner
from corral.placement.verdict import HOST, HOST_NAME, Conditions, Shortage, Verdict

__all__ = [
    "HOST",
    "HOST_NAME",
    "Account",
    "Conditions",
    "Explanation",
    "Footprint",
    "HostAccount",
    "Planner",
    "Shortage",
    "Verdict",
    "as_placed",
    "measure",
    "place",
    "smallest_automatic_context",
    "usable_context",
]
