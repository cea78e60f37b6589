"""People and units: staff and crews, each at home in an area that is named by its code."""

from __future__ import annotations

from typing import Any

from gridmap.services.importing.simple_nouns import PEOPLE, UNITS
from ingest.base import Objects
from ingest.fields import Field
from ingest.nouns.base import REF, Draft, Noun

_AREA = Field(name="area", kind="code", most_chars=60, aliases=("网格编码", "区划代码"))


def check(draft: Draft, context: Any) -> None:
    """The area must be a current one."""
    codes = draft.values["area"]
    unknown = [row for row, code in enumerate(codes) if code is not None and code not in context.area_codes]
    draft.faults.add(unknown, "area", "area_unknown", codes)


def _stage_person(draft: Draft, context: Any) -> dict[str, Objects]:
    return {"name": draft.values["name"], "job": draft.values["job"], "area_code": draft.values["area"]}


def _stage_unit(draft: Draft, context: Any) -> dict[str, Objects]:
    names = ("call_sign", "kind", "mode", "capabilities", "crew_size", "shift")
    return {**{name: draft.values[name] for name in names}, "area_code": draft.values["area"]}


def _check_unit(draft: Draft, context: Any) -> None:
    check(draft, context)
    for row, capabilities in enumerate(draft.values["capabilities"]):
        draft.values["capabilities"][row] = capabilities or []


PEOPLE_NOUN = Noun(
    key="people",
    fields=(
        REF,
        Field(name="name", required=True, most_chars=80, aliases=("姓名",)),
        Field(name="job", most_chars=80, aliases=("岗位", "职务")),
        _AREA,
    ),
    shape="none",
    target=PEOPLE,
    stage=_stage_person,
    check=check,
    geometry_needed=False,
)

UNITS_NOUN = Noun(
    key="units",
    fields=(
        REF,
        Field(name="call_sign", required=True, most_chars=60, aliases=("呼号", "名称")),
        Field(name="kind", kind="term", vocabulary="unit_kind", required=True, aliases=("类型",)),
        Field(name="mode", kind="term", vocabulary="mode", required=True, aliases=("出行方式",)),
        Field(name="capabilities", kind="terms", vocabulary="capability", aliases=("能力",)),
        Field(name="crew_size", kind="integer", least=1, most=100, aliases=("人数",)),
        Field(name="shift", kind="code", most_chars=40, aliases=("班次",)),
        _AREA,
    ),
    shape="none",
    target=UNITS,
    stage=_stage_unit,
    check=_check_unit,
    geometry_needed=False,
)
