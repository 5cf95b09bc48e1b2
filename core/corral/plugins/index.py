"""Which plugin owns which name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from corral.errors import PluginError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from corral.plugins.candidates import Candidate
    from corral.spec import Capabilities

Kind: TypeAlias = Literal["renderer", "parser", "runner", "api", "source"]

#: The hook that answers for each kind of name.
HOOK_OF: Mapping[Kind, str] = {
    "renderer": "render_prompt",
    "parser": "parse_output",
    "runner": "spawn_runner",
    "api": "create_app",
    "source": "open_source",
}

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
#: `RENDERER none` in a Modelfile takes an inherited renderer away, so no plugin can be called that.
_RESERVED = frozenset({"none"})


def offered_names(offers: Capabilities) -> dict[Kind, tuple[str, ...]]:
    """Return the names that a plugin declared, by kind."""
    return {
        "renderer": tuple(offer.name for offer in offers.renderers),
        "parser": tuple(offer.name for offer in offers.parsers),
        "runner": tuple(offers.runners),
        "api": tuple(offer.name for offer in offers.apis),
        "source": tuple(offers.sources),
    }


def _claims(offers: Capabilities) -> Iterator[tuple[str, str]]:
    """Yield all that can belong to one plugin only: names, and the paths of APIs."""
    for kind, names in offered_names(offers).items():
        for name in names:
            yield kind, name
    for api in offers.apis:
        for path in api.paths:
            yield "path", path


class Index:
    """Owners by kind and name. A name is claimed once; who comes second is told who came first."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str], Candidate] = {}

    def claim(self, candidate: Candidate, offers: Capabilities) -> None:
        """Give all names to a plugin, or none of them and raise PluginError."""
        claims = list(_claims(offers))
        for kind, name in claims:
            _check_name(kind, name)
            self._check_free(kind, name, candidate)
        if len(claims) != len(set(claims)):
            raise PluginError("declares the same name twice")
        self._owners.update(dict.fromkeys(claims, candidate))

    def _check_free(self, kind: str, name: str, candidate: Candidate) -> None:
        if owner := self._owners.get((kind, name)):
            raise PluginError(
                f"{kind} '{name}' of {candidate.title} is already offered by {owner.title} "
                f"(try: -p no:{owner.name}, or uninstall one of the two)"
            )

    def owner(self, kind: Kind, name: str) -> Candidate:
        """Return the plugin that offers a name; raise UnknownName with the installed ones."""
        if owner := self._owners.get((kind, name)):
            return owner
        raise UnknownName(kind, name, self.names(kind))

    def names(self, kind: Kind) -> list[str]:
        """Return all names of a kind, in the order of their plugins."""
        return [name for owned, name in self._owners if owned == kind]


def _check_name(kind: str, name: str) -> None:
    if kind == "path":
        if not name.startswith("/"):
            raise PluginError(f"path '{name}' does not start with '/'")
        return
    if not _NAME.fullmatch(name):
        raise PluginError(f"{kind} name '{name}' is not of the form [a-z0-9][a-z0-9._-]*")
    if name in _RESERVED:
        raise PluginError(f"{kind} name '{name}' is reserved")
