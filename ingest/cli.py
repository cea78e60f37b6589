"""`gridmap import ...`: what stands in a file becomes rows of a noun."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import event
from sqlalchemy.orm import Session

from gridmap.adapters.processes import give_way
from gridmap.clock import SystemClock
from gridmap.db.cluster import ensure_running
from gridmap.db.engine import Database
from gridmap.db.migrate import is_current, upgrade
from gridmap.errors import Misconfigured
from gridmap.services.geocoding import geocode
from gridmap.settings import Settings, load_settings
from ingest.areas import AreaRequest, import_areas
from ingest.base import Outcome
from ingest.nouns.registry import NOUNS
from ingest.osm.cli import osm
from ingest.progress import TerminalProgress
from ingest.request import AddressPlace, ImportRequest
from ingest.run import run_import
from ingest.source import find_source
from ingest.value_maps import read_value_map

Command = Callable[..., None]
_SHOWN = (
    "read", "added", "changed", "unchanged", "repeated", "quarantined", "withdrawn", "restored",
    "geocoded", "to_locate", "outside_areas", "in_several_areas",
)  # fmt: skip


@click.group("import")
def import_() -> None:
    """Bring rows from files into gridmap. A refused file changes nothing; a run may be repeated at will."""


def _pair(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for value in values:
        left, separator, right = value.rpartition("=")
        if not separator or not left or not right:
            raise click.BadParameter(f"'{value}' is not of the form LEFT=RIGHT", param=parameter)
        pairs[left] = right
    return pairs


_COMMON: tuple[Callable[[Any], Any], ...] = (
    click.argument("file", type=click.Path(path_type=Path)),
    click.option("--source", required=True, help="Key of the source; with a row's ref it names a row for ever."),
    click.option("--crs", help="WGS84, CGCS2000, GCJ-02, BD-09 or EPSG:<code>; else what the file names."),
    click.option("--map", "mapping", multiple=True, callback=_pair, metavar="COLUMN=FIELD",
                 help="Which column fills which field; FIELD '-' leaves the column out. Repeatable."),
    click.option("--map-values", "value_maps", multiple=True, callback=_pair, metavar="FIELD=FILE",
                 help="CSV, XLSX or TOML: value in the file -> our key. Repeatable."),
    click.option("--layer", help="Layer of a GeoPackage, sheet of a workbook, shapefile within a zip."),
    click.option("--encoding", help="Text encoding, where UTF-8 and GBK are both wrong."),
    click.option("--partial", is_flag=True, help="The file is not all there is: mark nothing as withdrawn."),
    click.option("--dry-run", is_flag=True, help="Read and check only."),
    click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
)  # fmt: skip
_ROW_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--tz", "zone", help="Time zone of the file's local times; else the deployment's."),
    click.option("--default", "defaults", multiple=True, callback=_pair, metavar="FIELD=VALUE",
                 help="Fill a field where the file has nothing. Repeatable."),
    click.option("--keep", multiple=True, metavar="COLUMN", help="Store this column as it is. Repeatable."),
    click.option("--unmapped", type=click.Choice(["refuse", "quarantine"]), default="refuse", show_default=True,
                 help="What to do when a value has no meaning here."),
    click.option("--withdraw-most", is_flag=True,
                 help="Allow a file that lists less than half of what this source had."),
)  # fmt: skip


def _with(options: tuple[Callable[[Any], Any], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def _add_noun(key: str) -> None:
    def run(file: Path, as_json: bool, value_maps: dict[str, str], **given: Any) -> None:
        request = ImportRequest(noun=key, path=file, **_known(key, value_maps, given))
        with _opened() as (settings, database), TerminalProgress(quiet=as_json) as progress:
            outcome = run_import(request, database, settings, SystemClock(), _geocoder(database), progress)
        _print(outcome, as_json)

    run.__doc__ = f"Import {key} from FILE."
    import_.command(key)(_with(_COMMON, _with(_ROW_OPTIONS, run)))


for _key in NOUNS:
    _add_noun(_key)


def _areas(file: Path, as_json: bool, value_maps: dict[str, str], **given: Any) -> None:
    """Import a set of areas from FILE; only an exact coverage becomes verified."""
    known = _known("areas", value_maps, given)
    request = AreaRequest(path=file, **{**known, "tree": known["tree"] or "admin"})
    with _opened() as (settings, database), TerminalProgress(quiet=as_json) as progress:
        outcome = import_areas(request, database, settings, SystemClock(), progress)
    _print(outcome, as_json)


_AREA_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--tree", help="Which tree the set belongs to; admin if not said."),
    click.option("--level", help="Level of rows that name none (grid, community, township, ...)."),
    click.option("--parent", metavar="CODE", help="The area in force that the whole set hangs under."),
)
import_.command("areas")(_with(_COMMON, _with(_AREA_OPTIONS, _areas)))
import_.add_command(osm)


def _known(noun: str, value_maps: dict[str, str], given: dict[str, Any]) -> dict[str, Any]:
    """What was said on the line, filled up with what the source's own file knows."""
    said = {**given, "value_maps": {name: read_value_map(Path(path)) for name, path in value_maps.items()}}
    source = find_source(given["source"], noun)
    return said if source is None else source.fill(said)


@contextmanager
def _opened() -> Iterator[tuple[Settings, Database]]:
    settings = load_settings()
    if settings.embedded:
        ensure_running(settings)
    database = Database.from_settings(settings)
    # Within another program the priority is that program's own.
    if click.get_current_context().find_root().command is not import_:
        _give_way(settings, database)
    try:
        _require_current(settings, database)
        yield settings, database
    finally:
        database.dispose()


def _give_way(settings: Settings, database: Database) -> None:
    """Screens and phones wait for nobody's import: it runs behind them, and so do its sessions in our own cluster."""
    give_way()
    if settings.embedded:
        event.listen(database.system, "connect", lambda opened, _record: give_way(opened.info.backend_pid))


def _require_current(settings: Settings, database: Database) -> None:
    """Our own cluster is brought up to date; a site's database is not touched without being asked."""
    if is_current(database.system):
        return
    if not settings.embedded:
        raise Misconfigured("database_not_migrated", run="gridmap db migrate")
    upgrade(database.owner)


def _geocoder(database: Database) -> Callable[[str], AddressPlace | None]:
    known: dict[str, AddressPlace | None] = {}

    def look_up(address: str) -> AddressPlace | None:
        if address not in known:
            with Session(database.system) as session:
                found = geocode(session, address)
            known[address] = (
                None if found is None else AddressPlace(found.lon, found.lat, found.method, found.radius_m)
            )
        return known[address]

    return look_up


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.as_json(), ensure_ascii=False, indent=2))
        return
    click.echo(f"{outcome.noun} from {outcome.source}" + (" (dry run)" if outcome.dry_run else ""))
    for name in _SHOWN:
        if getattr(outcome, name) or name in ("read", "added"):
            click.echo(f"  {name.replace('_', ' '):18} {getattr(outcome, name)}")
    for reason, count in outcome.reasons.most_common(20):
        click.echo(f"  {reason:40} {count}")
    for name, value in outcome.lists.items():
        if name not in ("fault_list",):
            click.echo(f"  {name.replace('_', ' ')}: {json.dumps(value, ensure_ascii=False)}")
    if outcome.ignored_columns:
        click.echo(f"  columns not used: {', '.join(outcome.ignored_columns)}")
    if outcome.quarantine_file:
        click.echo(f"  rows to mend: {outcome.quarantine_file}")
