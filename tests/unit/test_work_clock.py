"""The work-calendar clock: off-hours never count, pausing adds up, beginning anew forgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.vocab import vocabulary
from gridmap.domain.work_clock import WorkCalendar, WorkClock, work_calendar
from gridmap.domain.workdays import workdays
from gridmap.errors import Conflict, Invalid

ZONE = ZoneInfo("Asia/Shanghai")
WORK = work_calendar("work_hours", ZONE)
ALWAYS = work_calendar("round_the_clock", ZONE)
BERLIN = WorkCalendar(
    key="x", zone=ZoneInfo("Europe/Berlin"), hours=((0, 1440),), workdays_only=False, known=workdays()
)

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
instants = st.integers(0, 1_000 * 86_400).map(lambda s: FIRST + timedelta(seconds=s))
limits = st.integers(1, 60 * 60 * 40).map(lambda s: timedelta(seconds=s))
pauses = st.integers(0, 60 * 60 * 200).map(lambda s: timedelta(seconds=s))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@given(instants, limits)
def test_at_its_due_time_the_limit_is_counted_and_not_a_second_before(
    begin: datetime, limit: timedelta
) -> None:
    for calendar in (WORK, ALWAYS, BERLIN):
        due = calendar.due_after(begin, limit)
        assert calendar.counted(begin, due) == limit
        assert calendar.counted(begin, due - timedelta(seconds=1)) == limit - timedelta(seconds=1)


@given(instants, limits)
def test_it_is_never_due_outside_the_hours(begin: datetime, limit: timedelta) -> None:
    due = WORK.due_after(begin, limit).astimezone(ZONE)
    minute = due.hour * 60 + due.minute + (due.second > 0)
    assert workdays().is_workday(due.date())
    assert any(first < minute <= last for first, last in WORK.hours)


@given(instants, st.lists(pauses, min_size=1, max_size=4), limits)
def test_pausing_adds_up(begin: datetime, lengths: list[timedelta], limit: timedelta) -> None:
    """Whatever way the time is cut, the parts it ran are what counts, and off-hours among them are not."""
    clock, at, ran = WorkClock.start(limit, begin), begin, timedelta()
    for number, length in enumerate(lengths):
        ran += WORK.counted(at, at + length)
        at += length
        clock = clock.pause(WORK, at)
        assert clock.due_at(WORK) is None
        assert clock.counted_by(WORK, at + timedelta(days=9)) == ran, "standing, it counts nothing"
        at += lengths[number - 1]
        clock = clock.resume(at)
    assert clock.counted_by(WORK, at) == ran
    due = clock.due_at(WORK)
    assert due is not None
    if ran < limit:
        assert ran + WORK.counted(at, due) == limit
    else:
        assert due == at


@given(instants, pauses, limits)
def test_a_split_counts_as_the_whole(begin: datetime, length: timedelta, limit: timedelta) -> None:
    middle, end = begin + length, begin + length + limit
    assert WORK.counted(begin, middle) + WORK.counted(middle, end) == WORK.counted(begin, end)


@given(instants, pauses, limits)
def test_beginning_anew_forgets(begin: datetime, length: timedelta, limit: timedelta) -> None:
    clock = WorkClock.start(limit, begin)
    again = clock.pause(WORK, begin + length).restart(begin + length)
    assert again == WorkClock.start(limit, begin + length)


def test_a_weekend_a_holiday_and_a_make_up_day() -> None:
    two_hours = timedelta(hours=2)
    assert WORK.due_after(local("2025-09-26T16:30"), two_hours) == local("2025-09-28T09:30"), (
        "a worked Sunday"
    )
    assert WORK.due_after(local("2025-09-30T16:30"), two_hours) == local("2025-10-09T09:30"), (
        "after the holidays"
    )
    assert WORK.due_after(local("2026-03-02T11:00"), two_hours) == local("2026-03-02T15:00"), "over noon"
    assert ALWAYS.due_after(local("2025-10-03T23:00"), two_hours) == local("2025-10-04T01:00")


def test_a_clock_that_stands_is_not_paused_and_one_that_runs_not_taken_up() -> None:
    clock = WorkClock.start(timedelta(hours=1), local("2026-03-02T09:00"))
    with pytest.raises(Conflict, match="clock_runs"):
        clock.resume(local("2026-03-02T10:00"))
    with pytest.raises(Conflict, match="clock_stands"):
        clock.pause(WORK, local("2026-03-02T10:00")).pause(WORK, local("2026-03-02T10:00"))


def test_every_shipped_calendar_can_be_read_and_an_unknown_one_not() -> None:
    for key in vocabulary().keys("work_calendar"):
        assert work_calendar(key, ZONE).hours
    with pytest.raises(Invalid, match="work_calendar_unknown"):
        work_calendar("never", ZONE)
