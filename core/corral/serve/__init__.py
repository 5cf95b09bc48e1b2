"""Put the house together and keep it running."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.plugins import PluginHost
    from corral.settings import Settings


async def run(settings: Settings, host: PluginHost) -> None:
    """Serve in the foreground until the process is told to stop."""
    from corral.serve.server import serve_in_foreground

    await serve_in_foreground(settings, host)
