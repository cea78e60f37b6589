"""The calendars of the site: State Council holidays, make-up workdays, lunar festivals, school terms."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.day_facts import day_facts, load_day_book
from gridmap.domain.vocab import vocabulary_dir
from gridmap.domain.workdays import workdays
from gridmap.errors import Invalid, Misconfigured


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2024-02-09", True),
        ("2024-02-10", False),
        ("2024-02-18", True),
        ("2024-05-11", True),
        ("2024-09-16", False),
        ("2024-10-12", True),
        ("2025-01-26", True),
        ("2025-02-04", False),
        ("2025-04-27", True),
        ("2025-06-02", False),
        ("2025-10-08", False),
        ("2025-10-11", True),
        ("2026-02-14", True),
        ("2026-11-30", True),
    ],
)
def test_the_notices_say_what_is_worked(day: str, worked: bool) -> None:
    (facts,) = day_facts(date.fromisoformat(day), date.fromisoformat(day))
    assert facts.is_workday is worked


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_every_year_has_its_number_of_workdays(year: int, count: int) -> None:
    days = day_facts(date(year, 1, 1), date(year, 12, 31))
    assert sum(facts.is_workday is True for facts in days) == count


def test_every_make_up_day_is_a_weekend_day_and_no_holiday() -> None:
    known = workdays()
    assert [day for day in known.make_up if day.weekday() < 5 or day in known.holidays] == []


def test_the_day_of_a_festival_knows_its_names() -> None:
    new_year, lantern, ghost = (
        day_facts(day, day)[0] for day in (date(2025, 1, 29), date(2025, 2, 12), date(2026, 8, 27))
    )
    assert (new_year.holiday, new_year.festival, new_year.lunar_new_year_days) == (
        "spring_festival",
        "lunar_new_year",
        0,
    )
    assert (lantern.holiday, lantern.festival, lantern.lunar_new_year_days) == (None, "lantern", 14)
    assert (ghost.festival, ghost.school_term) == ("ghost", False)


def test_lunar_new_year_is_counted_to_the_nearer_one_without_a_gap() -> None:
    told = [facts.lunar_new_year_days for facts in day_facts(date(2024, 1, 1), date(2026, 12, 31))]
    days = [one for one in told if one is not None]
    assert len(days) == len(told)
    jumps = [after - before for before, after in pairwise(days) if after - before != 1]
    assert len(jumps) == 3
    assert all(jump < -350 for jump in jumps)


@given(st.dates(date(2010, 1, 1), date(2040, 1, 1)))
def test_what_is_not_in_the_files_is_not_made_up(day: date) -> None:
    (facts,) = day_facts(day, day)
    assert (facts.is_workday is None) == (day.year not in workdays().years)
    assert (facts.school_term is None) == (not date(2024, 1, 1) <= day <= date(2026, 12, 31))
    if facts.lunar_new_year_days is not None:
        new_year = day - timedelta(days=facts.lunar_new_year_days)
        assert day_facts(new_year, new_year)[0].festival == "lunar_new_year"


def test_a_span_that_runs_backwards_is_refused() -> None:
    with pytest.raises(Invalid, match="span_invalid"):
        day_facts(date(2025, 1, 2), date(2025, 1, 1))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("holidays.toml", "to = 2024-01-01", "to = 2023-01-01"),
        ("holidays.toml", "[[festivals]]", "[[festivals"),
        ("school_terms.toml", "to = 2024-02-25", "to = 2024-01-01"),
        ("school_terms.toml", "covers_from = 2024-01-01", ""),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, file: str, old: str, new: str) -> None:
    for name in ("holidays.toml", "school_terms.toml"):
        shutil.copy(vocabulary_dir() / name, tmp_path / name)
    path = tmp_path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        load_day_book(tmp_path)
    assert file in str(caught.value.params)
