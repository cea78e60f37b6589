"""The one place where the driver's errors become ours, by the constraint's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError

from gridmap.errors import Conflict, Forbidden, GridmapError, Invalid, TooLarge, Unavailable

_BY_CONSTRAINT: dict[str, tuple[type[GridmapError], str]] = {
    "uq_account_login": (Conflict, "login_taken"),
    "uq_area_code": (Conflict, "area_code_taken"),
    "ex_area_version_valid": (Conflict, "area_version_overlaps"),
    "uq_duty_open": (Conflict, "already_on_duty"),
    "uq_dispatch_active": (Conflict, "already_offered"),
    "uq_plan_run_active": (Conflict, "plan_already_started"),
    "uq_hand_over_open": (Conflict, "already_handed_over"),
    "uq_report_source_ref": (Conflict, "report_known"),
    "uq_camera_code": (Conflict, "camera_code_taken"),
}


@contextmanager
def translated() -> Iterator[None]:
    """Raise a GridmapError for a driver error whose meaning is known; let a bug's error pass as it is."""
    try:
        yield
    except DBAPIError as error:
        known = translate(error)
        if known is None:
            raise
        raise known from error


def translate(error: DBAPIError) -> GridmapError | None:
    """The GridmapError that a driver error stands for, if any."""
    cause = error.orig
    if isinstance(cause, psycopg.errors.IntegrityError):
        return _integrity(cause)
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return Forbidden("out_of_scope")
    if isinstance(cause, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return Conflict("busy_try_again")
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return Unavailable("took_too_long")
    if isinstance(cause, psycopg.errors.DiskFull):
        return Unavailable("disk_full")
    if isinstance(cause, psycopg.errors.ProgramLimitExceeded):
        return TooLarge("too_large_to_store")
    if isinstance(cause, psycopg.errors.CharacterNotInRepertoire | psycopg.errors.UntranslatableCharacter):
        return Invalid("text_not_storable")
    if isinstance(error, OperationalError):
        return Unavailable("database_unavailable")
    return None


def _integrity(cause: psycopg.errors.IntegrityError) -> GridmapError | None:
    name = cause.diag.constraint_name or ""
    if name in _BY_CONSTRAINT:
        kind, code = _BY_CONSTRAINT[name]
        return kind(code)
    if isinstance(cause, psycopg.errors.ForeignKeyViolation):
        return Invalid("refers_to_unknown", constraint=name)
    if isinstance(cause, psycopg.errors.UniqueViolation):
        return Conflict("already_exists", constraint=name)
    return None
