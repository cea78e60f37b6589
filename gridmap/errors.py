"""The one family of errors. Codes and parameters, never prose: the front end composes the text."""

from __future__ import annotations

from typing import Any, ClassVar


class GridmapError(Exception):
    """Something was refused. `code` is stable and translated by the reader; `params` fill the text.

    Parameters hold plain JSON values and never a secret: they reach logs and clients.
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, code: str | None = None, **params: Any) -> None:
        self.code = code or self.default_code
        self.params = params
        super().__init__(self.code)

    def __str__(self) -> str:
        if not self.params:
            return self.code
        details = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code} ({details})"


class Invalid(GridmapError):
    """The input cannot be understood or breaks a rule of its own form."""

    default_code = "invalid"


class NotAuthenticated(GridmapError):
    """Nobody is logged in, or the session or token is no longer good."""

    default_code = "not_authenticated"


class Forbidden(GridmapError):
    """The actor is known and lacks the verb or the area."""

    default_code = "forbidden"


class NotFound(GridmapError):
    """No such thing, or none that the actor may see: the two are not told apart."""

    default_code = "not_found"


class Conflict(GridmapError):
    """The thing is in a state that does not allow this, or somebody else was first."""

    default_code = "conflict"


class TooMany(GridmapError):
    """A rate limit bites; `retry_after_s` says how long to wait."""

    default_code = "too_many_attempts"


class TooLarge(GridmapError):
    """A ceiling on size was met before any work was done."""

    default_code = "too_large"


class Unavailable(GridmapError):
    """A part that is needed does not answer now (database, routing engine, disk)."""

    default_code = "unavailable"


class Misconfigured(GridmapError):
    """The deployment's own settings or files are wrong; the operator of the machine must act."""

    default_code = "misconfigured"
