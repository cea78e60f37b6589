"""Generic layers: resources, components, routes and places; a name, a kind, and the columns a site keeps."""

from __future__ import annotations

from typing import Any

from gridmap.services.importing.simple_nouns import feature_target
from ingest.base import Objects, objects
from ingest.fields import Field
from ingest.nouns.base import REF, Draft, Noun
from ingest.places import Shape


def stage(draft: Draft, context: Any) -> dict[str, Objects]:
    assert draft.kept is not None
    props = [
        {**kept, **({"kind": kind} if kind is not None else {})}
        for kept, kind in zip(draft.kept, draft.values["kind"], strict=True)
    ]
    return {"name": draft.values["name"], "props": objects(props)}


def _noun(key: str, shape: Shape) -> Noun:
    return Noun(
        key=key,
        fields=(
            REF,
            Field(name="name", aliases=("名称",)),
            Field(name="kind", kind="code", most_chars=60, aliases=("类型", "类别")),
        ),
        shape=shape,
        target=feature_target(key),
        stage=stage,
    )


RESOURCES = _noun("resources", "point")
COMPONENTS = _noun("components", "point")
ROUTES = _noun("routes", "line")
PLACES = _noun("places", "point")
