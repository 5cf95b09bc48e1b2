"""Speak to a running server, in the words of the house."""

from __future__ import annotations

from corral.client.client import Client
from corral.client.connection import Connection, is_listening
from corral.client.views import LoadedModel, ShownChoice, ShownModel

__all__ = ["Client", "Connection", "LoadedModel", "ShownChoice", "ShownModel", "is_listening"]
