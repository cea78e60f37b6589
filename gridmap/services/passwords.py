"""Password hashing (argon2id with the library's defaults, RFC 9106 low-memory profile) and its rules."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gridmap.adapters.offload import apart
from gridmap.errors import Invalid

MIN_LENGTH = 10
MAX_LENGTH = 200
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(24))


def hash_password(password: str) -> str:
    return apart(_HASHER.hash, password)


def matches(stored: str | None, password: str) -> bool:
    """True when the password fits. An unknown account costs the same time as a wrong password."""
    try:
        return apart(_HASHER.verify, stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def check_rules(password: str, login: str) -> None:
    """Raises Invalid with the rule that is broken."""
    if len(password) < MIN_LENGTH:
        raise Invalid("password_too_short", min_length=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise Invalid("password_too_long", max_length=MAX_LENGTH)
    if login.lower() in password.lower():
        raise Invalid("password_contains_login")
    if len(set(password)) < 5:
        raise Invalid("password_too_simple")


def generate_password(length: int = 12) -> str:
    """A password to be read out or typed from a sheet: no letters that look alike."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
