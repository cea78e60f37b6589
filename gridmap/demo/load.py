"""Getting the demo district into the database: generated once, then imported file by file, each step once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from gridmap.adapters.processes import clean_environment
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.demo.accounts import DemoLogIns, make_accounts, read_log_ins, write_log_ins
from gridmap.demo.district.manifest import MANIFEST_NAME, load_manifest
from gridmap.errors import Conflict, Unavailable
from gridmap.serve.children import settings_environment
from gridmap.settings import Settings

CREWS = "crews.csv"
USUAL_SEED = 7
USUAL_SCALE = "normal"

Say = Callable[[str], object]


@dataclass(frozen=True)
class DemoFolder:
    """Where the demo keeps the generated district, what has been loaded of it, and its log-ins."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> DemoFolder:
        return cls(settings.data_dir / "demo")

    @property
    def district(self) -> Path:
        return self.path / "district"

    @property
    def log_ins(self) -> Path:
        return self.path / "log-ins.json"

    @property
    def progress(self) -> Path:
        """Which district is in the database, and how far it came."""
        return self.path / "loaded.json"


@dataclass
class Progress:
    """Which district is in the database, and what of it; kept in a file after every step."""

    path: Path
    seed: int
    scale: str
    done: list[str] = field(default_factory=list)
    complete: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def read(cls, path: Path) -> Progress | None:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(path, content["seed"], content["scale"], content["done"], content["complete"])

    def add(self, key: str) -> None:
        with self._lock:
            self.done.append(key)
            self.write()

    def write(self) -> None:
        content = {"seed": self.seed, "scale": self.scale, "done": self.done, "complete": self.complete}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(self.path)


def is_loaded(settings: Settings) -> bool:
    """True when a whole demo district is in this data folder."""
    folder = DemoFolder.of(settings)
    progress = Progress.read(folder.progress)
    return progress is not None and progress.complete and folder.log_ins.exists()


def ensure_loaded(
    settings: Settings, database: Database, clock: Clock, *, seed: int | None, scale: str | None, say: Say
) -> DemoLogIns:
    """Generate and load the district where it is not there yet; goes on where a broken-off load stopped.

    Without seed or scale the one that is loaded will do, else the usual one. Raises
    Conflict("database_holds_other_data") for a database that somebody works with, and Conflict("demo_is_another")
    when another seed or scale is loaded.
    """
    folder = DemoFolder.of(settings)
    progress = Progress.read(folder.progress)
    holding = _find_held(database)
    if progress is None or holding is None:
        if holding is not None:
            raise Conflict("database_holds_other_data", table=holding)
        # A database that was thrown away or made anew knows nothing of what this folder says.
        folder.log_ins.unlink(missing_ok=True)
        folder.path.mkdir(parents=True, exist_ok=True)
        progress = Progress(folder.progress, seed or USUAL_SEED, scale or USUAL_SCALE)
        progress.write()
    elif (seed or progress.seed, scale or progress.scale) != (progress.seed, progress.scale):
        raise Conflict("demo_is_another", loaded_seed=progress.seed, loaded_scale=progress.scale)
    if not (progress.complete and folder.log_ins.exists()):
        _load(settings, database, clock, folder, progress, say)
    return read_log_ins(folder.log_ins)


def _load(
    settings: Settings, database: Database, clock: Clock, folder: DemoFolder, progress: Progress, say: Say
) -> None:
    _ensure_generated(folder, progress, say)
    imports = load_manifest(folder.district).imports
    # Everything lies in areas; addresses of incidents are looked up among names that come with the streets.
    first = [words for words in imports if words[0] == "areas"]
    streets = [words for words in imports if words[0] == "osm"]
    last = [words for words in imports if words[0] == "incidents"]
    between = [words for words in imports if words not in (*first, *streets, *last)]
    for lanes in ([first], [streets, between], [last]):
        _import_lanes(settings, folder.district, lanes, progress, say)
    if not folder.log_ins.exists():
        begun = time.monotonic()
        log_ins = make_accounts(database, clock, folder.district / CREWS)
        write_log_ins(log_ins, folder.log_ins)
        say(f"demo: {len(log_ins.officers)} phones given out in {time.monotonic() - begun:.1f} s")
    progress.complete = True
    progress.write()


def _import_lanes(
    settings: Settings, district: Path, lanes: list[list[list[str]]], progress: Progress, say: Say
) -> None:
    """Run lanes side by side, the imports within one in order. The first fault is raised when all have ended."""

    def run(lane: list[list[str]]) -> None:
        for words in lane:
            key = " ".join(words)
            if key not in progress.done:
                _import(settings, district, words, say)
                progress.add(key)

    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(run, lane) for lane in lanes]:
            done.result()


def _ensure_generated(folder: DemoFolder, progress: Progress, say: Say) -> None:
    if (folder.district / MANIFEST_NAME).exists():
        return
    begun = time.monotonic()
    say("demo: drawing the district")
    unfinished = folder.district.with_name("district.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    draw(unfinished, progress.seed, progress.scale, on_line=lambda line: say(f"demo: {line}"))
    shutil.rmtree(folder.district, ignore_errors=True)
    unfinished.rename(folder.district)
    say(f"demo: drawn in {time.monotonic() - begun:.0f} s")


def draw(out: Path, seed: int, scale: str, on_line: Say) -> None:
    """Draw the district into a folder, in a process of its own. Raises Unavailable("demo_not_drawn")."""
    command = [sys.executable, "-m", "gridmap.demo.district", "--out", str(out)]
    command += ["--seed", str(seed), "--scale", scale]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environment(), encoding="utf-8"
    ) as process:
        last = ""
        for line in process.stdout or ():
            last = line.rstrip()
            on_line(last)
    if process.returncode != 0:
        raise Unavailable("demo_not_drawn", said=last)


def _import(settings: Settings, district: Path, arguments: list[str], say: Say) -> None:
    """Run one import as an administrator would, in a process of its own."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "gridmap", "import", *arguments],
        cwd=district,
        env=clean_environment(settings_environment(settings)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        last = done.stdout.strip().splitlines()[-5:]
        raise Unavailable("demo_import_failed", command=" ".join(["gridmap import", *arguments]), said=last)
    say(f"demo: {arguments[0]} imported in {time.monotonic() - begun:.1f} s")


def _find_held(database: Database) -> str | None:
    """A table with rows in it, or None: a demo never mixes with the data of a site."""
    with database.system.connect() as connection:
        for table in ("area", "account", "incident", "camera"):
            if connection.execute(text(f"SELECT EXISTS (SELECT FROM {table})")).scalar():
                return table
    return None
