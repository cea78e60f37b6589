"""Buildings: outlines, with storeys and households where the source counts them."""

from __future__ import annotations

from typing import Any

from gridmap.services.importing.simple_nouns import BUILDINGS
from ingest.base import Objects
from ingest.fields import Field
from ingest.nouns.base import REF, Draft, Noun


def stage(draft: Draft, context: Any) -> dict[str, Objects]:
    return {field.name: draft.values[field.name] for field in NOUN.fields if field.name != "ref"}


NOUN = Noun(
    key="buildings",
    fields=(
        REF,
        Field(name="name", aliases=("名称", "楼栋名称")),
        Field(name="kind", kind="code", most_chars=60, aliases=("类型",)),
        Field(name="street", aliases=("街路巷", "道路")),
        Field(name="house_number", kind="code", most_chars=40, aliases=("门牌号",)),
        Field(name="levels", kind="number", least=0, most=200, aliases=("层数",)),
        Field(name="height_m", kind="number", least=0, most=1000, aliases=("高度",)),
        Field(name="households", kind="integer", least=0, most=20_000, aliases=("户数",)),
    ),
    shape="polygon",
    target=BUILDINGS,
    stage=stage,
)
