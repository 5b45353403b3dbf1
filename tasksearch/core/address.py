"""Addresses of servers and databases without their secrets, as they may be printed and stored."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from tasksearch.core.errors import BadInput

_SECRET = ("pass", "pwd", "secret", "token")
"""Parts of the names of query fields that hold a secret: `password`, `passwd`, `sslpassword`, `token`."""


def split_address(address: str, what: str, wish: str) -> SplitResult:
    """Split an address into its parts and check its port.

    Args:
        what: name of the address in messages, such as `the tracking address`.
        wish: what is expected instead.

    Raises:
        BadInput: the address cannot be parsed. It is not quoted, since an unparsable address may be a password.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise BadInput(f"{what} cannot be read; expected {wish}") from None
    return parts


def masked(parts: SplitResult, address: str) -> str:
    """Return the address without user, password and query."""
    if not parts.netloc:
        return address.split("?", 1)[0]
    return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}"


def scrubbed(text: str, parts: SplitResult, address: str) -> str:
    """Return the text as one line with the address's secrets removed."""
    text = text.replace(address, masked(parts, address))
    for secret in (parts.netloc.rpartition("@")[0], parts.password, parts.query):
        text = text.replace(secret, "***") if secret else text
    return " ".join(text.split())


def without_secrets(parts: SplitResult) -> str:
    """Return the address as it may be stored: user and query stay, the password and secret query fields are removed."""
    login, at, host = parts.netloc.rpartition("@")
    fields = [field for field in parts.query.split("&") if not any(word in field.partition("=")[0].lower() for word in _SECRET)]
    query = f"?{'&'.join(fields)}" if any(fields) else ""
    return f"{parts.scheme}://{login.partition(':')[0]}{at}{host}{parts.path}{query}"  # `geturl` would drop an empty host


_LOGIN = re.compile(r"(\w://)[^\s'\"<>]*@")
_FIELD = re.compile(
    r"((?<!\w)\w*(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key)['\"]?\s*[=:]\s*['\"]?)[^\s&;'\",)]+", re.IGNORECASE
)
_BEARER = re.compile(r"((?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
_HUB = re.compile(r"\bhf_\w{8,}")


def without_secrets_in(text: str) -> str:
    """Mask secrets in free text such as a log line: logins in addresses, fields named like secrets, and tokens.

    Masks too much rather than too little: in `scheme://…@` everything up to the last `@` is masked.
    """
    text = _FIELD.sub(r"\1***", _LOGIN.sub(r"\1***@", text))
    return _HUB.sub("hf_***", _BEARER.sub(r"\1***", text))
