"""Which bytes a client's base64 text stands for."""

from __future__ import annotations

import base64
import binascii
import re

from corral.errors import InvalidInput

_DATA_URL = re.compile(r"data:(?:image/(?:jpeg|jpg|png|webp|gif))?;base64,", re.IGNORECASE)


def from_base64(text: str, what: str = "image") -> bytes:
    """Return the bytes of standard base64 text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{what} is not standard base64: {error}") from error


def from_data_url(url: str) -> bytes:
    """Return the bytes of a base64 data URL of an image; other URLs are refused, nothing is fetched."""
    if url.lower().startswith(("http://", "https://")):
        raise InvalidInput("image URLs are not currently supported, please use base64 encoded data instead")
    head = _DATA_URL.match(url)
    if head is None:
        raise InvalidInput("invalid image input: expected a data URL such as data:image/png;base64,...")
    return from_base64(url[head.end() :])
