"""Grid workers, patrols and office staff, and the units they crew. All names are invented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.demo.district.areas import COUNTY, Area, Division
from gridmap.demo.district.names import person_names

PEOPLE_HEADER = ("编号", "姓名", "岗位", "区划代码")
UNIT_HEADER = ("编号", "呼号", "类型", "出行方式", "能力", "人数", "班次", "区划代码")
SHIFTS = ("early", "late", "night")
"""08-16, 16-24, 00-08 local time; grid workers are on from 08 to 20 (`day`)."""

_OFFICE = (("坐席员", 24), ("值班长", 6), ("网格规划员", 4), ("方案审批员", 2), ("研判分析员", 3),
           ("部门联络员", 20), ("视频维护员", 4), ("系统管理员", 2), ("审计员", 2))  # fmt: skip


def plain_code(code: str) -> str:
    """A division code without the zeros that pad it to 12 digits, as areas are known inside."""
    for digits in (2, 4, 6, 9):
        if code[digits:] == "0" * (12 - digits):
            return code[:digits]
    return code


@dataclass(frozen=True)
class Member:
    """One person; `unit` is the reference of the unit they crew, or empty."""

    ref: str
    name: str
    job: str
    area: str
    unit: str


@dataclass(frozen=True)
class Unit:
    """One unit. `area` is the code of its grid (grid worker) or township (patrol)."""

    ref: str
    call_sign: str
    kind: str
    mode: str
    capabilities: tuple[str, ...]
    crew: int
    shift: str
    area: str


@dataclass(frozen=True)
class Staff:
    """Everybody. `vacant` are the codes of grids without a worker, on purpose."""

    members: list[Member]
    units: list[Unit]
    vacant: list[str]


def hire(division: Division, patrol_units: int, vacant_grids: int, rng: np.random.Generator) -> Staff:
    """One worker and unit per manned grid, a second one in every twentieth grid, and patrols by township."""
    grids = division.level("grid")
    towns = {area.code: area for area in division.level("township")}
    vacant = sorted(grids[i].code for i in rng.choice(len(grids), vacant_grids, replace=False))
    members: list[Member] = []
    units: list[Unit] = []
    manned = [g for g in grids if g.code not in set(vacant)]
    second = set(rng.choice(len(manned), round(len(manned) / 18.4), replace=False).tolist())
    jobs = [(g, k) for i, g in enumerate(manned) for k in range(2 if i in second else 1)]
    names = iter(person_names(len(jobs) + 4 * patrol_units + 200, rng))
    counter: dict[str, int] = {}
    for number, (grid, _) in enumerate(jobs, 1):
        town = towns[grid.code[:9] + "000"]
        short = town.name[:2]
        counter[short] = counter.get(short, 0) + 1
        skills = tuple(s for s, p in (("mediation", 0.35), ("first_aid", 0.15)) if rng.random() < p)
        unit = Unit(
            f"GW{number:05d}", f"{short}网格{counter[short]:03d}", "grid_worker",
            "ebike" if rng.random() < 0.7 else "foot", skills, 1, "day", grid.code,
        )  # fmt: skip
        units.append(unit)
        members.append(Member(f"P{len(members) + 1:05d}", next(names), "网格员", grid.code, unit.ref))
    for unit in _patrols(list(towns.values()), patrol_units, rng):
        units.append(unit)
        for _ in range(unit.crew):
            job = _JOBS[unit.kind]
            members.append(Member(f"P{len(members) + 1:05d}", next(names), job, unit.area, unit.ref))
    for job, count in _OFFICE:
        members += [
            Member(f"P{len(members) + k + 1:05d}", next(names), job, plain_code(COUNTY[0]), "")
            for k in range(count)
        ]
    return Staff(members, units, vacant)


_JOBS = {
    "patrol": "巡逻员",
    "police": "民警",
    "city_management": "城管队员",
    "fire": "消防员",
    "medical": "急救员",
}
_WORD = {"patrol": "巡", "police": "警", "city_management": "管", "fire": "消", "medical": "救"}
_MIX = (
    "patrol",
    "police",
    "patrol",
    "patrol",
    "city_management",
    "police",
    "patrol",
    "patrol",
    "police",
    "patrol",
)


def hire_patrols(
    towns: list[Area], count: int, rng: np.random.Generator, first: int
) -> tuple[list[Unit], list[Member]]:
    """Patrols of some townships and their crews, numbered from `first`."""
    units = _patrols(towns, count, rng, first)
    names = iter(person_names(5 * count, rng))
    members = [
        Member(f"P{unit.ref[2:]}-{k + 1}", next(names), _JOBS[unit.kind], unit.area, unit.ref)
        for unit in units
        for k in range(unit.crew)
    ]
    return units, members


def _patrols(towns: list[Area], count: int, rng: np.random.Generator, first: int = 1) -> list[Unit]:
    """Patrols round robin over townships and shifts; every tenth is a fire or ambulance crew.

    Three of a kind come one after the other, so that each shift has one even where there are few.
    """
    units = []
    for n in range(first - 1, first - 1 + count):
        kind = _MIX[n % len(_MIX)] if n % 10 < 9 else ("fire" if n // 30 % 2 == 0 else "medical")
        town = towns[(n // 3) % len(towns)]
        mode = (
            "emergency_car"
            if kind in ("fire", "medical", "police")
            else str(rng.choice(["car", "ebike"], p=[0.75, 0.25]))
        )
        skills = {
            "patrol": ("first_aid", "traffic") if n % 2 else ("mediation",), "police": ("police_powers", "traffic"),
            "city_management": ("mediation", "tow") if n % 20 == 4 else ("mediation",),
            "fire": ("firefighting", "first_aid"), "medical": ("first_aid",),
        }[kind]  # fmt: skip
        call = f"{town.name[:2]}{_WORD[kind]}{n + 1:03d}"
        crew = {"fire": 5, "medical": 3}.get(kind, 2)
        units.append(
            Unit(f"PT{n + 1:05d}", call, kind, mode, skills, crew, SHIFTS[n % 3], plain_code(town.code))
        )
    return units
