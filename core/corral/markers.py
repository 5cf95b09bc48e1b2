"""Mark functions as hooks: `hookimpl` in a plugin, `hookspec` in corral itself."""

from __future__ import annotations

import pluggy

#: The pluggy project and the entry-point group.
GROUP = "corral"

#: The version of the hooks described in `corral.hookspecs`; a plugin declares the one it was written for.
API_VERSION = 1

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
