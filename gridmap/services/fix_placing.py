"""The positions process: takes up raw batches, believes or refuses, stores, moves units, and tells what follows.

Everything of a turn is one transaction, and the batches are deleted in it: whatever dies, and whenever, each batch is
either still there or wholly done. Nothing is kept between turns but what the database holds anyway.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from uuid import UUID, uuid5

from sqlalchemy import text

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.domain.metric import LocalMetric
from gridmap.errors import Unavailable
from gridmap.positions.fence_engine import FenceEvent, Sample
from gridmap.positions.filters import Memory, Received, Sifted, late_span, sift
from gridmap.positions.fixes import Door
from gridmap.positions.packing import unpack
from gridmap.services import fix_rows
from gridmap.services.fence_book import FenceShelf
from gridmap.services.fence_events import follow
from gridmap.services.fence_reactions import REACTIONS
from gridmap.services.fix_jobs import follow_jobs
from gridmap.services.fix_rows import Batch, DeviceMemory, UnitFix
from gridmap.services.transaction import Tx, system_transaction

log = logging.getLogger(__name__)

# A turn stays below the 250 ms that a writing transaction may last.
MOST_BATCHES = 100
MOST_FIXES = 800
# While a better device of the unit was heard within this time, the others do not move the unit.
LEAD_FRESH_S = 120.0
_SET_ASIDE_AFTER = 5
_OWN_DEVICES = UUID("0d2f60d4-9f0c-4b41-9a37-6a1f2f6c1c55")
_OWN_KINDS = {Door.PAGE: ("page", 50), Door.GATEWAY: ("gateway", 80)}


class FixPlacer:
    """One positions process: the units of one shard."""

    def __init__(
        self, database: Database, clock: Clock, metric: LocalMetric, *, shard: int = 0, shards: int = 1
    ) -> None:
        self._database = database
        self._metric = metric
        self._fences = FenceShelf(metric)
        self._clock = clock
        self._shard, self._shards = shard, shards
        self._most = MOST_BATCHES
        self.has_more = False
        self._made_devices: set[UUID] = set()
        self._made_days: set[date] = set()

    def turn(self) -> int:
        """Place what waits, oldest first; how many batches that were. `has_more` tells whether to come again at once.

        A turn that fails changes nothing; the next ones go batch by batch until the one at fault is set aside.
        """
        batches: list[Batch] = []
        try:
            with system_transaction(self._database, self._clock) as tx:
                batches = fix_rows.take_batches(
                    tx, self._shard, self._shards, batches=self._most, fixes=MOST_FIXES
                )
                if batches:
                    made = self._place(tx, _fixes_of(batches))
        except Unavailable:
            raise
        except Exception:
            self._on_fault(batches)
            raise
        self.has_more = len(batches) == self._most or sum(map(len, batches)) >= MOST_FIXES
        if not batches:
            self._most = MOST_BATCHES
            return 0
        self._made_devices |= made
        return len(batches)

    def _on_fault(self, batches: Sequence[Batch]) -> None:
        if len(batches) != 1:
            self._most = 1
            return
        with system_transaction(self._database, self._clock) as tx:
            aside = tx.session.scalar(
                text(
                    "update fix_batch set faults = faults + 1, set_aside_at = case when faults + 1 >= :most"
                    " then cast(:now as timestamptz) end where id = :id returning set_aside_at"
                ),
                {"id": batches[0].id, "most": _SET_ASIDE_AFTER, "now": tx.now},
            )
        if aside is not None:
            log.error("fix batch set aside", extra={"batch": str(batches[0].id)})

    def _place(self, tx: Tx, received: list[tuple[UUID, Received]]) -> set[UUID]:
        made = self._make_own_devices(tx, received)
        units = {one.fix.unit_id for _, one in received}
        known = fix_rows.read_memories(tx, units)
        by_device: dict[UUID, list[Received]] = {}
        for device_id, one in received:
            device = known.get(device_id)
            # A device that was withdrawn or given to another unit since is no longer heard.
            if device is not None and device.unit_id == one.fix.unit_id:
                by_device.setdefault(device_id, []).append(one)
        sifted = _sift_all(tx, known, by_device)
        self._make_days(tx, sifted.values())
        before = _newest_of_units(known.values())
        leading, late_from = _lead(tx, known, sifted, before)
        fix_rows.remember(tx, (_after(known[device_id], found.memory) for device_id, found in sifted.items()))
        fix_rows.count_refused(tx, _refused(sifted))
        self._tell(tx, leading, late_from)
        return made

    def _tell(self, tx: Tx, leading: list[UnitFix], late_from: dict[UUID, datetime]) -> None:
        """Fences, the units' newest places, jobs, and whoever reacts to fences: in the order of the rows they lock."""
        newest = list(_newest(leading).values())
        followed = follow(tx, self._fences.current(tx), _samples(leading, self._metric), late_from)
        fix_rows.store_latest(tx, newest, followed.areas)
        follow_jobs(tx, leading)
        _react(tx, followed.events)

    def _make_own_devices(self, tx: Tx, received: Iterable[tuple[UUID, Received]]) -> set[UUID]:
        missing = {
            device_id: (_OWN_KINDS[one.fix.door][0], one.fix.unit_id, _OWN_KINDS[one.fix.door][1])
            for device_id, one in received
            if one.fix.door in _OWN_KINDS and device_id not in self._made_devices
        }
        if missing:
            fix_rows.make_own_devices(tx, missing)
        return set(missing)

    def _make_days(self, tx: Tx, sifted: Iterable[Sifted]) -> None:
        days = {one.fix.fixed_at.astimezone(UTC).date() for found in sifted for one in found.accepted}
        for day in days - self._made_days:
            tx.session.execute(text("select make_fix_partition(:day)"), {"day": day})
        # Kept only for today's neighbours: a partition that was dropped is asked for again.
        self._made_days = days


@lru_cache(maxsize=100_000)
def own_device_id(unit_id: UUID, door: Door) -> UUID:
    """The device that stands for a unit's page or gateway: the same for ever, so nobody has to look it up."""
    return uuid5(_OWN_DEVICES, f"{door.name}{unit_id.hex}")


def _fixes_of(batches: Iterable[Batch]) -> list[tuple[UUID, Received]]:
    found = []
    for batch in batches:
        for fix in unpack(batch.body):
            device_id = fix.device_id if fix.door is Door.DEVICE else own_device_id(fix.unit_id, fix.door)
            found.append((device_id, Received(fix, batch.received_at)))
    return found


def _sift_all(
    tx: Tx, known: dict[UUID, DeviceMemory], by_device: dict[UUID, list[Received]]
) -> dict[UUID, Sifted]:
    spans = {
        (known[device_id].unit_id, device_id): span
        for device_id, batch in by_device.items()
        if (span := late_span(known[device_id].memory, batch)) is not None
    }
    stored = fix_rows.read_spots(tx, spans)
    return {
        device_id: sift(known[device_id].memory, batch, stored.get(device_id, ()))
        for device_id, batch in by_device.items()
    }


def _lead(
    tx: Tx, known: dict[UUID, DeviceMemory], sifted: dict[UUID, Sifted], before: dict[UUID, datetime]
) -> tuple[list[UnitFix], dict[UUID, datetime]]:
    """Store what was accepted. Returns the fixes that move units, in time order, and from when units are late.

    With devices of different rank, which fix leads is settled in the database, where all of them are.
    """
    fixes = [UnitFix(device_id, one) for device_id, found in sifted.items() for one in found.accepted]
    if not fixes:
        return [], {}
    fixes.sort(key=lambda one: (one.received.fix.fixed_at, one.device_id))
    fix_rows.store_fixes(tx, fixes)
    first: dict[UUID, datetime] = {}
    for one in reversed(fixes):
        first[one.received.fix.unit_id] = one.received.fix.fixed_at
    late = {unit_id: at for unit_id, at in first.items() if unit_id in before and at <= before[unit_id]}
    mixed = {unit_id: first[unit_id] for unit_id in _of_mixed_rank(known.values()) if unit_id in first}
    if mixed:
        changed = fix_rows.lead_again(tx, mixed, LEAD_FRESH_S)
        leads = fix_rows.read_leading(tx, mixed)
        fixes = [one for one in fixes if one.received.fix.unit_id not in mixed or _key(one) in leads]
        for unit_id, at in changed.items():
            if unit_id in before and at <= before[unit_id]:
                late[unit_id] = min(at, late.get(unit_id, at))
    return fixes, late


def _key(one: UnitFix) -> tuple[UUID, UUID, datetime]:
    return one.received.fix.unit_id, one.device_id, one.received.fix.fixed_at


def _of_mixed_rank(devices: Iterable[DeviceMemory]) -> set[UUID]:
    ranks: dict[UUID, set[int]] = {}
    for device in devices:
        if device.memory.last is not None:
            ranks.setdefault(device.unit_id, set()).add(device.priority)
    return {unit_id for unit_id, found in ranks.items() if len(found) > 1}


def _newest_of_units(devices: Iterable[DeviceMemory]) -> dict[UUID, datetime]:
    newest: dict[UUID, datetime] = {}
    for device in devices:
        if device.memory.last is not None:
            at = device.memory.last.at
            newest[device.unit_id] = max(at, newest.get(device.unit_id, at))
    return newest


def _newest(leading: Iterable[UnitFix]) -> dict[UUID, UnitFix]:
    return {one.received.fix.unit_id: one for one in leading}


def _after(device: DeviceMemory, memory: Memory) -> DeviceMemory:
    return DeviceMemory(device.device_id, device.unit_id, device.priority, memory)


def _refused(sifted: dict[UUID, Sifted]) -> Counter[tuple[UUID, str]]:
    counts: Counter[tuple[UUID, str]] = Counter()
    for device_id, found in sifted.items():
        for reason, count in found.refused.items():
            counts[device_id, str(reason)] += count
    return counts


def _samples(leading: Sequence[UnitFix], metric: LocalMetric) -> dict[UUID, list[Sample]]:
    if not leading:
        return {}
    raws = [one.received.fix for one in leading]
    x_m, y_m = metric.forward([fix.lon for fix in raws], [fix.lat for fix in raws])
    found: dict[UUID, list[Sample]] = {}
    for fix, east, north in zip(raws, x_m.tolist(), y_m.tolist(), strict=True):
        sample = Sample(fix.unit_id, east, north, fix.fixed_at, fix.accuracy_m or 0.0)
        found.setdefault(fix.unit_id, []).append(sample)
    return found


def _react(tx: Tx, events: list[FenceEvent]) -> None:
    """Whoever listens to fences; one that fails must not hold up where everybody is."""
    for reaction in REACTIONS if events else ():
        try:
            with tx.session.begin_nested():
                reaction(tx, events)
        except Exception:
            log.exception("fence reaction failed", extra={"reaction": reaction.__name__})
