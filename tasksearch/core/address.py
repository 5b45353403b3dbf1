"""Addresses of servers and databases as they may be printed and kept: without their secrets."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from tasksearch.core.errors import BadInput

_SECRET = ("pass", "pwd", "secret", "token")
"""What the names of query fields that hold a secret have in them: `password`, `passwd`, `sslpassword`, `token`."""


def split_address(address: str, what: str, wish: str) -> SplitResult:
    """The parts of an address, its port among them.

    Args:
        what: how it is called in the message, `the tracking address`.
        wish: what is expected in its place.

    Raises:
        BadInput: it cannot be read; the address is not quoted, since what cannot be read may be a password.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise BadInput(f"{what} cannot be read; expected {wish}") from None
    return parts


def masked(parts: SplitResult, address: str) -> str:
    """The address without user, password and query."""
    if not parts.netloc:
        return address.split("?", 1)[0]
    return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}"


def scrubbed(text: str, parts: SplitResult, address: str) -> str:
    """One line of text without the address's secrets."""
    text = text.replace(address, masked(parts, address))
    for secret in (parts.netloc.rpartition("@")[0], parts.password, parts.query):
        text = text.replace(secret, "***") if secret else text
    return " ".join(text.split())


def without_secrets(parts: SplitResult) -> str:
    """The address as it may be kept: with user and query, without the password and what else a query holds of secrets."""
    login, at, host = parts.netloc.rpartition("@")
    fields = [field for field in parts.query.split("&") if not any(word in field.partition("=")[0].lower() for word in _SECRET)]
    query = f"?{'&'.join(fields)}" if any(fields) else ""
    return f"{parts.scheme}://{login.partition(':')[0]}{at}{host}{parts.path}{query}"  # `geturl` would lose an empty host


_LOGIN = re.compile(r"(\w://)[^\s'\"<>]*@")
_FIELD = re.compile(
    r"((?<!\w)\w*(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key)['\"]?\s*[=:]\s*['\"]?)[^\s&;'\",)]+", re.IGNORECASE
)
_BEARER = re.compile(r"((?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
_HUB = re.compile(r"\bhf_\w{8,}")


def without_secrets_in(text: str) -> str:
    """Free text, such as a line of a log, without the logins of the addresses in it, fields named like secrets, and tokens.

    What looks like a secret is masked even where it is none: `scheme://…@` loses everything up to its last `@`.
    """
    text = _FIELD.sub(r"\1***", _LOGIN.sub(r"\1***@", text))
    return _HUB.sub("hf_***", _BEARER.sub(r"\1***", text))
