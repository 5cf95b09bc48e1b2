"""Give tools names that harmony can write as identifiers, and find the client's names again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Tools that the models know from training under these recipients, without a namespace.
BUILT_IN = frozenset({"browser.search", "browser.open", "browser.find", "python"})

_TO_UNDERSCORE = re.compile(r"[ .\-]")
_NOT_IDENTIFIER = re.compile(r"[^A-Za-z0-9_]")
_NAMESPACE = "functions."


class Names:
    """The names of one request's tools on both sides."""

    def __init__(self, names: Iterable[str]) -> None:
        self._identifiers: dict[str, str] = {}
        self._clients: dict[str, str] = {}
        for name in names:
            self._add(name)

    def recipient(self, name: str) -> str:
        """Return the recipient that a call of the client's tool names."""
        return name if name in BUILT_IN else f"{_NAMESPACE}{self.identifier(name)}"

    def identifier(self, name: str) -> str:
        """Return the client's name as an identifier."""
        return self._identifiers.get(name) or identifier(name)

    def client_name(self, recipient: str) -> str:
        """Return the client's name of a recipient; an unknown one is returned without its namespace."""
        name = recipient.removeprefix(_NAMESPACE)
        return self._clients.get(name, name)

    def _add(self, name: str) -> None:
        plain = unique = name if name in BUILT_IN else identifier(name)
        count = 1
        while unique in self._clients:
            count += 1
            unique = f"{plain}_{count}"
        self._clients[unique] = name
        self._identifiers.setdefault(name, unique)


def identifier(name: str) -> str:
    """Return a name with nothing in it but letters, digits and underscores."""
    plain = _NOT_IDENTIFIER.sub("", _TO_UNDERSCORE.sub("_", name)) or "unnamed"
    return f"_{plain}" if plain[0].isdigit() else plain
