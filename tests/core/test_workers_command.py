"""What a child gets of its parent's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.workers.command import child_environment

if TYPE_CHECKING:
    import pytest


def test_a_child_gets_the_environment_with_the_changes_and_without_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CORRAL_API_KEY", "HF_TOKEN", "aws_secret_access_key", "PLAIN", "GONE"):
        monkeypatch.setenv(name, "value")

    child = child_environment({"GONE": None, "CUDA_VISIBLE_DEVICES": "0", "ASKED_FOR_TOKEN": "x"}, channel_fd=5)

    assert {"CORRAL_API_KEY", "HF_TOKEN", "aws_secret_access_key", "GONE"}.isdisjoint(child)
    assert (child["PLAIN"], child["CUDA_VISIBLE_DEVICES"], child["ASKED_FOR_TOKEN"], child["CORRAL_CHANNEL_FD"]) == ("value", "0", "x", "5")
