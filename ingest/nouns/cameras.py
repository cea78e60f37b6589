"""Cameras: public camera points. A device code, where given, is the 20 digits of GB/T 28181."""

from __future__ import annotations

import re
from typing import Any

from gridmap.services.importing.simple_nouns import CAMERAS
from ingest.base import Objects, objects
from ingest.fields import Field
from ingest.nouns.base import REF, Draft, Noun

_DEVICE_CODE = re.compile(r"^\d{20}$")


def check(draft: Draft, context: Any) -> None:
    """The form of device codes, and that no two cameras share one."""
    codes = draft.values["code"]
    malformed = [row for row, code in enumerate(codes) if code is not None and not _DEVICE_CODE.match(code)]
    draft.faults.add(malformed, "code", "not_20_digits", codes)


def stage(draft: Draft, context: Any) -> dict[str, Objects]:
    assert draft.kept is not None
    staged = {spec.name: draft.values[spec.name] for spec in NOUN.fields if spec.name != "ref"}
    pairs = zip(staged["name"], staged["code"], strict=True)
    staged["name"] = objects(name or code or "" for name, code in pairs)
    return {**staged, "props": draft.kept}


NOUN = Noun(
    key="cameras",
    fields=(
        REF,
        Field(name="code", kind="code", most_chars=40, aliases=("国标编码", "设备编码")),
        Field(name="name", aliases=("名称", "设备名称", "点位名称")),
        Field(name="kind", kind="code", most_chars=40, aliases=("类型",)),
        Field(name="status", kind="term", vocabulary="camera_status", aliases=("状态",)),
        Field(name="heading_deg", kind="number", least=0, most=360, aliases=("方位角",)),
        Field(name="fov_deg", kind="number", least=1, most=360, aliases=("视场角",)),
        Field(name="range_m", kind="number", least=0, most=5000, aliases=("可视距离",)),
        Field(name="height_m", kind="number", least=0, most=300, aliases=("安装高度", "架设高度")),
    ),
    shape="point",
    target=CAMERAS,
    stage=stage,
    check=check,
)
