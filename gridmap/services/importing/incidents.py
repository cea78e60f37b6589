"""Incidents from outside: each row is one report and, the first time, the incident it makes.

The report keeps what the source last said, so a rerun can tell a change at the source from work done here: a
field of the incident follows the source only while it still equals what the source said before. Status,
handler, outcome and clocks are ours from the first day on.
"""

from __future__ import annotations

from collections.abc import Collection

from gridmap.services.importing.targets import COMMON, POINT_GRID, Marks, StageColumn, Target

# Default times are no knowledge: the reader tells, at the end of the file, how exact its times really are.
_PRECISION = """case
        when :day_only and s.occurred_precision in ('minute', 'hour') then 'day'
        when :hour_only and s.occurred_precision = 'minute' then 'hour'
        else s.occurred_precision end"""

_ADD = f"""
with placed as materialized (
    select s.*, {_PRECISION} as precision_seen, grid.area_id, grid.version_id, grid.path, grid.hits,
           nextval('incident_number')::text as serial
    from stage s {POINT_GRID}
), added as (
    insert into incident (id, source, ref, source_hash, batch_id, number, class_key, severity, status,
    outcome, title,
                          address, geom, location_method, location_radius_m, area_id, area_version_id,
                          scope_path, occurred_from, occurred_to, occurred_precision, reported_at,
                          recorded_at, channel, drill, restricted, closed_at, dispatch_due_at, finish_due_at)
    select id, :source, ref, source_hash, :batch,
           to_char(reported_at at time zone 'UTC', 'YYYYMMDD') || '-' || lpad(serial, greatest(5,
           length(serial)), '0'), class_key, severity,
           case when outcome is null then 'open' else 'closed' end, outcome, title, address, geom,
           location_method, location_radius_m, area_id, version_id, coalesce(path, ''::ltree), occurred_from,
           occurred_to, precision_seen, reported_at, :now, channel, false, restricted, closed_at,
           dispatch_due_at, finish_due_at
    from placed
    on conflict (source, ref) do nothing
    returning id
), reports as (
    insert into report (id, incident_id, source, ref, source_hash, batch_id, channel, class_key, body,
    address, geom,
                        occurred_from, occurred_to, occurred_precision, received_at, recorded_at)
    select p.report_id, p.id, :source, p.ref, p.source_hash, :batch, p.channel, p.class_key, p.body,
    p.address,
           case when p.location_method = 'given' then p.geom end, p.occurred_from, p.occurred_to,
           p.precision_seen, p.reported_at, :now
    from placed p join added a on a.id = p.id
), told as (
    insert into incident_event (id, incident_id, at, kind, params)
    select p.event_id, p.id, p.reported_at, 'reported',
           jsonb_build_object('channel', p.channel, 'source', cast(:source as text))
    from placed p join added a on a.id = p.id
), due as (
    insert into timer (id, kind, subject_id, due_at)
    select gen_random_uuid(), 'incident.dispatch_due', p.id, p.dispatch_due_at
    from placed p join added a on a.id = p.id where p.outcome is null and p.dispatch_due_at > :now
)
select ref, coalesce(hits, 0) from placed where geom is not null and coalesce(hits, 0) <> 1
"""

# What a title was made of: the first line of the text, or of the address. See `title_of` in the reader's
# noun.
_TITLE = "left(split_part(coalesce(nullif(btrim({row}.body), ''), btrim({row}.address), ''), E'\\n', 1), 80)"

# i: the incident, r: what the source said before, p: what it says now.
_FOLLOW = {
    "class": "class_key = case when i.class_key = r.class_key then p.class_key else i.class_key end",
    "severity": "severity = case when i.class_key = r.class_key and p.class_key <> r.class_key"
    " then p.severity else i.severity end,"
    " restricted = case when i.class_key = r.class_key then p.restricted else i.restricted end",
    "address": "address = case when i.address is not distinct from r.address then p.address"
    " else i.address end",
    "text": "title = case when i.title = p.old_title then p.title else i.title end",
    "occurred": "occurred_from = case when i.occurred_from = r.occurred_from then p.occurred_from"
    " else i.occurred_from end,"
    " occurred_to = case when i.occurred_to is not distinct from r.occurred_to then p.occurred_to"
    " else i.occurred_to end,"
    " occurred_precision = case when i.occurred_from = r.occurred_from then p.precision_seen"
    " else i.occurred_precision end",
}
# A pin set here stands; a place the source gives wins over one that was looked up from an address.
_MOVES = "p.geom is not null and i.location_method <> 'pin' and i.geom is distinct from p.geom"
_PLACE = f"""
geom = case when {_MOVES} then p.geom else i.geom end,
location_method = case when {_MOVES} then p.location_method else i.location_method end,
location_radius_m = case when {_MOVES} then p.location_radius_m else i.location_radius_m end,
area_id = coalesce(i.area_id, p.area_id),
area_version_id = coalesce(i.area_version_id, p.version_id),
scope_path = case when {_MOVES} and i.status <> 'closed' then coalesce(p.path, ''::ltree)
             else i.scope_path end
"""


def _change(given: Collection[str]) -> str:
    sets = [
        clause
        for name, clause in _FOLLOW.items()
        if name in given or (name == "severity" and "class" in given)
    ]
    if "geometry" in given:
        sets.append(_PLACE)
    own = {
        "class": "class_key = p.class_key",
        "text": "body = p.body",
        "address": "address = p.address",
        "geometry": "geom = case when p.location_method = 'given' then p.geom end",
        "occurred": "occurred_from = p.occurred_from, occurred_to = p.occurred_to,"
        " occurred_precision = p.precision_seen",
    }
    said = [clause for name, clause in own.items() if name in given]
    return f"""
    with placed as materialized (
        select s.*, {_PRECISION} as precision_seen, grid.area_id, grid.version_id, grid.path,
               k.id as known_id, {_TITLE.format(row="o")} as old_title
        from stage s
        join incident k on k.source = :source and k.ref = s.ref
        join report o on o.source = :source and o.ref = s.ref
        {POINT_GRID}
    ), followed as (
        update incident i set {", ".join([*sets, "source_hash = p.source_hash"])}, withdrawn_at = null,
               version = i.version + 1
        from placed p, report r
        where i.id = p.known_id and r.source = :source and r.ref = p.ref
    ), told as (
        insert into incident_event (id, incident_id, at, kind, params)
        select p.event_id, p.known_id, :now, 'source_changed', jsonb_build_object('source', cast(:source as text))
        from placed p
    )
    update report r set {", ".join([*said, "source_hash = p.source_hash"])}, withdrawn_at = null
    from placed p where r.source = :source and r.ref = p.ref
    """


_MINE = "source = :source and ref = any(:refs)"


INCIDENTS = Target(
    noun="incidents",
    table="incident",
    known_in="report",
    layers=("incidents",),
    columns=(
        *COMMON,
        StageColumn("report_id", "uuid"),
        StageColumn("event_id", "uuid"),
        StageColumn("class_key", "text"),
        StageColumn("severity", "smallint"),
        StageColumn("restricted", "boolean"),
        StageColumn("channel", "text"),
        StageColumn("title", "text"),
        StageColumn("body", "text"),
        StageColumn("address", "text"),
        StageColumn("geom", "geometry"),
        StageColumn("location_method", "text"),
        StageColumn("location_radius_m", "float8"),
        StageColumn("occurred_from", "timestamptz"),
        StageColumn("occurred_to", "timestamptz"),
        StageColumn("occurred_precision", "text"),
        StageColumn("reported_at", "timestamptz"),
        StageColumn("outcome", "text"),
        StageColumn("closed_at", "timestamptz"),
        StageColumn("dispatch_due_at", "timestamptz"),
        StageColumn("finish_due_at", "timestamptz"),
    ),
    add=_ADD,
    change=_change,
    marks=Marks(
        withdraw=f"""
    with gone as (
        update incident set withdrawn_at = :now where {_MINE} and withdrawn_at is null returning id
    ), said as (
        update report set withdrawn_at = :now where {_MINE} and withdrawn_at is null
    )
    insert into incident_event (id, incident_id, at, kind, params)
    select gen_random_uuid(), id, :now, 'source_withdrawn', jsonb_build_object('source', cast(:source as
    text)) from gone
    """,
        restore=f"""
    with back as (update report set withdrawn_at = null where {_MINE})
    update incident set withdrawn_at = null where {_MINE}
    """,
        forget=f"""
    with gone as (select id from incident where {_MINE} and batch_id = :batch),
    told as (delete from incident_event e using gone where e.incident_id = gone.id),
    said as (delete from report r using gone where r.incident_id = gone.id),
    due as (delete from timer t using gone where t.subject_id = gone.id)
    delete from incident i using gone where i.id = gone.id
    """,
    ),
)
