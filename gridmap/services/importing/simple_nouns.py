"""Cameras, generic features, buildings, people and units: tables whose rows are what the source says."""

from __future__ import annotations

from collections.abc import Collection

from gridmap.services.importing.targets import (
    COMMON,
    POINT_GRID,
    SHAPE_GRID,
    StageColumn,
    Target,
    set_clause,
    simple_marks,
)

_STRAYS = "select ref, coalesce(hits, 0) from placed where coalesce(hits, 0) <> 1"
_LIVE = "source_hash = p.source_hash, withdrawn_at = null"


def _camera_change(given: Collection[str]) -> str:
    sets = set_clause(
        {
            "code": "p.code",
            "name": "p.name",
            "kind": "p.kind",
            "status": "p.status",
            "heading_deg": "p.heading_deg",
            "fov_deg": "p.fov_deg",
            "range_m": "p.range_m",
            "height_m": "p.height_m",
            "props": "p.props",
            "geometry>geom": "p.geom",
            "geometry>area_id": "p.area_id",
            "geometry>scope_path": "coalesce(p.path, ''::ltree)",
        },
        {*given, "props"},
    )
    return f"""
    with placed as materialized (
        select s.*, grid.area_id, grid.path from stage s {POINT_GRID}
    )
    update camera c set {sets}, {_LIVE} from placed p where c.source = :source and c.ref = p.ref
    """


CAMERAS = Target(
    noun="cameras",
    table="camera",
    layers=("cameras",),
    columns=(
        *COMMON,
        StageColumn("code", "text"),
        StageColumn("name", "text"),
        StageColumn("kind", "text"),
        StageColumn("status", "text"),
        StageColumn("heading_deg", "float8"),
        StageColumn("fov_deg", "float8"),
        StageColumn("range_m", "float8"),
        StageColumn("height_m", "float8"),
        StageColumn("props", "jsonb"),
        StageColumn("geom", "geometry"),
    ),
    add=f"""
    with placed as materialized (
        select s.*, grid.area_id, grid.path, grid.hits from stage s {POINT_GRID}
    ), added as (
        insert into camera (id, source, ref, source_hash, batch_id, code, name, kind, status, heading_deg,
        fov_deg,
                            range_m, height_m, props, geom, area_id, scope_path)
        select id, :source, ref, source_hash, :batch, code, name, coalesce(kind, 'fixed'),
               coalesce(status, 'unknown'), heading_deg, fov_deg, range_m, height_m, props, geom, area_id,
               coalesce(path, ''::ltree)
        from placed on conflict (source, ref) do nothing
    )
    {_STRAYS}
    """,
    change=_camera_change,
    marks=simple_marks("camera"),
)


def feature_target(layer: str) -> Target:
    """A generic layer; its rows live in `feature` under the layer's key."""

    def change(given: Collection[str]) -> str:
        sets = set_clause(
            {
                "name": "p.name",
                "props": "p.props",
                "geometry>geom": "p.geom",
                "geometry>area_id": "p.area_id",
                "geometry>scope_path": "coalesce(p.path, ''::ltree)",
            },
            {*given, "props"},
        )
        return f"""
        with placed as materialized (select s.*, grid.area_id, grid.path from stage s {SHAPE_GRID})
        update feature f set {sets}, {_LIVE}
        from placed p where f.layer = :layer and f.source = :source and f.ref = p.ref
        """

    return Target(
        noun=layer,
        table="feature",
        layers=(layer,),
        columns=(
            *COMMON,
            StageColumn("name", "text"),
            StageColumn("props", "jsonb"),
            StageColumn("geom", "geometry"),
        ),
        add=f"""
        with placed as materialized (
            select s.*, grid.area_id, grid.path, grid.hits from stage s {SHAPE_GRID}
        ), added as (
            insert into feature (id, layer, source, ref, source_hash, batch_id, name, props, geom, area_id,
            scope_path) select id, :layer, :source, ref, source_hash, :batch, name, props, geom, area_id,
                   coalesce(path, ''::ltree)
            from placed on conflict (layer, source, ref) do nothing
        )
        select ref, coalesce(hits, 0) from placed where coalesce(hits, 0) = 0
        """,
        change=change,
        known_where="layer = :layer",
        extra={"layer": layer},
        marks=simple_marks("feature", "layer = :layer"),
    )


def _building_change(given: Collection[str]) -> str:
    names = ("name", "kind", "street", "house_number", "levels", "height_m", "households")
    sets = set_clause({**{name: f"p.{name}" for name in names}, "geometry>geom": "p.geom"}, given)
    head = f"{sets}, " if sets else ""
    return f"update building b set {head}{_LIVE} from stage p where b.source = :source and b.ref = p.ref"


BUILDINGS = Target(
    noun="buildings",
    table="building",
    layers=("buildings",),
    columns=(
        *COMMON,
        StageColumn("name", "text"),
        StageColumn("kind", "text"),
        StageColumn("street", "text"),
        StageColumn("house_number", "text"),
        StageColumn("levels", "float8"),
        StageColumn("height_m", "float8"),
        StageColumn("households", "int"),
        StageColumn("geom", "geometry"),
    ),
    add="""
    insert into building (id, source, ref, source_hash, batch_id, name, kind, street, house_number, levels,
    height_m,
                          households, geom)
    select id, :source, ref, source_hash, :batch, name, kind, street, house_number, levels, height_m,
    households,
           st_multi(geom)
    from stage on conflict (source, ref) do nothing
    """,
    change=lambda given: _building_change(given).replace("geom = p.geom", "geom = st_multi(p.geom)"),
    marks=simple_marks("building"),
)

# People and units belong to an area by its code. The reader has checked that the code is current.
_HOME = """
left join lateral (
    select v.area_id, v.path from area a join area_version v on v.area_id = a.id
    where a.code = s.area_code and v.valid @> cast(:now as timestamptz)
) home on true
"""


def _person_change(given: Collection[str]) -> str:
    sets = set_clause(
        {
            "name": "p.name",
            "job": "p.job",
            "area>area_id": "p.area_id",
            "area>scope_path": "coalesce(p.path, ''::ltree)",
        },
        given,
    )
    head = f"{sets}, " if sets else ""
    return f"""
    with placed as (select s.*, home.area_id, home.path from stage s {_HOME})
    update person t set {head}{_LIVE} from placed p where t.source = :source and t.ref = p.ref
    """


PEOPLE = Target(
    noun="people",
    table="person",
    layers=(),
    columns=(
        *COMMON,
        StageColumn("name", "text"),
        StageColumn("job", "text"),
        StageColumn("area_code", "text"),
    ),
    add=f"""
    insert into person (id, source, ref, source_hash, batch_id, name, job, area_id, scope_path)
    select s.id, :source, s.ref, s.source_hash, :batch, s.name, s.job, home.area_id, coalesce(home.path,
    ''::ltree) from stage s {_HOME} on conflict (source, ref) do nothing
    """,
    change=_person_change,
    marks=simple_marks("person"),
)


def _unit_change(given: Collection[str]) -> str:
    sets = set_clause(
        {
            "call_sign": "p.call_sign",
            "kind": "p.kind",
            "mode": "p.mode",
            "capabilities": "p.capabilities",
            "crew_size": "p.crew_size",
            "shift": "p.shift",
            "area>home_area_id": "p.area_id",
            "area>scope_path": "coalesce(p.path, ''::ltree)",
        },
        given,
    )
    head = f"{sets}, " if sets else ""
    return f"""
    with placed as (select s.*, home.area_id, home.path from stage s {_HOME})
    update unit t set {head}{_LIVE} from placed p where t.source = :source and t.ref = p.ref
    """


UNITS = Target(
    noun="units",
    table="unit",
    layers=(),
    columns=(
        *COMMON,
        StageColumn("call_sign", "text"),
        StageColumn("kind", "text"),
        StageColumn("mode", "text"),
        StageColumn("capabilities", "text[]"),
        StageColumn("crew_size", "int"),
        StageColumn("shift", "text"),
        StageColumn("area_code", "text"),
    ),
    add=f"""
    insert into unit (id, source, ref, source_hash, batch_id, call_sign, kind, mode, capabilities, crew_size,
                      home_area_id, scope_path, shift)
    select s.id, :source, s.ref, s.source_hash, :batch, s.call_sign, s.kind, s.mode, s.capabilities,
           coalesce(s.crew_size, 1), home.area_id, coalesce(home.path, ''::ltree), s.shift
    from stage s {_HOME} on conflict (source, ref) do nothing
    """,
    change=_unit_change,
    marks=simple_marks("unit"),
)
