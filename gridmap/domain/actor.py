"""Who acts: an account or a machine, what it may do and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gridmap.domain.vocab import Role, vocabulary
from gridmap.errors import Forbidden


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A role over the subtree under `path` (ltree of area ids; empty text = every area)."""

    role: str
    path: str
    area_id: int | None = None
    area_name: str | None = None
    department: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """An authenticated caller. The paths are ltree texts of area ids; a row below one of them is in reach."""

    account_id: UUID | None
    login: str
    display_name: str
    verbs: frozenset[str]
    case_paths: tuple[str, ...]
    map_paths: tuple[str, ...]
    write_paths: tuple[str, ...]
    wall_paths: tuple[str, ...] = ()
    person_id: UUID | None = None
    session_id: UUID | None = None
    token_id: UUID | None = None
    unit_ids: tuple[UUID, ...] = ()
    roles: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    must_change_password: bool = False
    token_source: str | None = None
    signed_in_at: datetime | None = field(default=None, compare=False)

    def can(self, verb: str) -> bool:
        return verb in self.verbs

    def require(self, verb: str) -> None:
        """Raises Forbidden when the actor lacks `verb`."""
        if verb not in self.verbs:
            raise Forbidden(verb=verb)

    def writes_in(self, path: str) -> bool:
        """True when `path` lies in the actor's write scope."""
        return any(is_below(path, root) for root in self.write_paths)


def is_below(path: str, root: str) -> bool:
    """True when the ltree `path` is `root` or lies under it; the empty root holds all."""
    return not root or path == root or path.startswith(root + ".")


def roles_of(grants: Iterable[Grant]) -> dict[str, Role]:
    known = vocabulary().roles
    return {grant.role: known[grant.role] for grant in grants if grant.role in known}


def paths_with(grants: Iterable[Grant], *verbs: str) -> tuple[str, ...]:
    """The roots under which some grant gives one of `verbs`, without roots that another root already holds."""
    known = vocabulary().roles
    roots = {grant.path for grant in grants if not known[grant.role].verbs.isdisjoint(verbs)}
    kept = [root for root in roots if not any(other != root and is_below(root, other) for other in roots)]
    return tuple(sorted(kept))
