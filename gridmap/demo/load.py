"""Getting the demo district into the database: generated once, then imported file by file, each step once."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

import gridmap
from gridmap.adapters.children import start_child
from gridmap.adapters.processes import Account
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.demo.accounts import DemoLogIns, make_accounts, read_log_ins, write_log_ins
from gridmap.demo.district.manifest import MANIFEST_NAME, load_manifest
from gridmap.demo.rosters import ensure_rosters
from gridmap.errors import Conflict, Unavailable
from gridmap.serve.children import settings_environment
from gridmap.services.risk.nightly import ask_first
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings

CREWS = "crews.csv"
USUAL_SEED = 7
USUAL_SCALE = "normal"

HISTORY = "incidents"
_POLL_S = 0.1

Say = Callable[[str], object]


class Stopped(Exception):
    """The load was broken off because the demo is to end; the next start goes on from there."""


@dataclass(frozen=True)
class DemoFolder:
    """Where the demo keeps the generated district, what has been loaded of it, and its log-ins."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> DemoFolder:
        return cls(settings.data_dir / "demo")

    def make(self, account: Account) -> None:
        """Make the folder for the account that draws, imports and simulates."""
        self.path.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self.path, account.uid, account.gid)

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


@dataclass(frozen=True)
class Loader:
    """Loads one demo. Children run under `account` and end when `stop` is set."""

    settings: Settings
    account: Account
    database: Database
    clock: Clock
    stop: threading.Event
    say: Say

    @property
    def folder(self) -> DemoFolder:
        return DemoFolder.of(self.settings)

    def ensure_loaded(self, seed: int | None, scale: str | None) -> DemoLogIns:
        """Draw and load the district where it is not there yet, all but its history; goes on where it stopped.

        Without seed or scale the one that is loaded will do, else the usual one. Raises Stopped;
        Conflict("database_holds_other_data") for a database that somebody works with;
        Conflict("demo_is_another") when another seed or scale is loaded.
        """
        progress = self._find_progress(seed, scale)
        if not (progress.complete and self.folder.log_ins.exists()):
            self._load_district(progress)
        ensure_rosters(self.database, self.clock)
        return read_log_ins(self.folder.log_ins)

    def ensure_history(self) -> None:
        """Load what has happened so far: by far the most rows, and nothing that a first look has to wait for."""
        progress = Progress.read(self.folder.progress)
        if progress is None or progress.complete:
            return
        self._import_lanes([[words for words in self._imports() if words[0] == HISTORY]], progress)
        progress.complete = True
        progress.write()

    def ask_for_risk(self) -> None:
        """Ask for the first forecasts, once there is a past to rest on; the worker makes them while people look."""
        progress = Progress.read(self.folder.progress)
        if progress is not None and progress.complete:
            with system_transaction(self.database, self.clock) as tx:
                ask_first(tx)

    def _find_progress(self, seed: int | None, scale: str | None) -> Progress:
        progress = Progress.read(self.folder.progress)
        holding = find_held(self.database)
        if progress is None or (holding is None and progress.done):
            if holding is not None:
                raise Conflict("database_holds_other_data", table=holding)
            # A database that was thrown away or made anew knows nothing of what this folder says.
            self.folder.log_ins.unlink(missing_ok=True)
            self.folder.make(self.account)
            progress = Progress(self.folder.progress, seed or USUAL_SEED, scale or USUAL_SCALE)
            progress.write()
        elif (seed or progress.seed, scale or progress.scale) != (progress.seed, progress.scale):
            raise Conflict("demo_is_another", loaded_seed=progress.seed, loaded_scale=progress.scale)
        return progress

    def _load_district(self, progress: Progress) -> None:
        self._ensure_drawn(progress)
        imports = [words for words in self._imports() if words[0] != HISTORY]
        # Everything lies in areas. The streets take as long as all the rest.
        first = [words for words in imports if words[0] == "areas"]
        streets = [words for words in imports if words[0] == "osm"]
        rest = [words for words in imports if words not in (*first, *streets)]
        for lanes in ([first], [streets, rest]):
            self._import_lanes(lanes, progress)
        if not self.folder.log_ins.exists():
            begun = time.monotonic()
            log_ins = make_accounts(self.database, self.clock, self.folder.district / CREWS)
            write_log_ins(log_ins, self.folder.log_ins)
            self.say(f"demo: {len(log_ins.officers)} phones given out in {time.monotonic() - begun:.1f} s")

    def _imports(self) -> list[list[str]]:
        return load_manifest(self.folder.district).imports

    def _import_lanes(self, lanes: list[list[list[str]]], progress: Progress) -> None:
        """Run lanes side by side, the imports within one in order; a fault is raised when all have ended."""

        def run(lane: list[list[str]]) -> None:
            for words in lane:
                key = " ".join(words)
                if key not in progress.done:
                    self._import(words)
                    progress.add(key)

        with ThreadPoolExecutor(len(lanes)) as pool:
            for done in [pool.submit(run, lane) for lane in lanes]:
                done.result()

    def _import(self, words: list[str]) -> None:
        """Run one import as an administrator would, in a process of its own."""
        begun = time.monotonic()
        noun, file, *options = words
        command = [
            sys.executable,
            "-m",
            "gridmap",
            "import",
            noun,
            str(self.folder.district / file),
            *options,
        ]
        self._run(command, f"import-{noun}", settings_environment(self.settings))
        self.say(f"demo: {noun} imported in {time.monotonic() - begun:.1f} s")

    def _ensure_drawn(self, progress: Progress) -> None:
        district = self.folder.district
        if (district / MANIFEST_NAME).exists():
            return
        begun = time.monotonic()
        self.say("demo: drawing the district")
        unfinished = district.with_name("district.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(drawing(unfinished, progress.seed, progress.scale), "draw", {})
        shutil.rmtree(district, ignore_errors=True)
        unfinished.rename(district)
        self.say(f"demo: drawn in {time.monotonic() - begun:.1f} s")

    def _run(self, command: list[str], name: str, extra_env: dict[str, str]) -> None:
        """Run a child to its end. Raises Stopped, or Unavailable("demo_step_failed") with its last words."""
        log = self.folder.path / f"{name}.log"
        log.unlink(missing_ok=True)
        reads = [Path(gridmap.__file__)]
        child = start_child(command, account=self.account, extra_env=extra_env, log=log, reads=reads)
        while (status := child.find_status()) is None:
            if self.stop.wait(_POLL_S):
                child.stop(patience_s=5)
                raise Stopped
        if status != 0:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
            raise Unavailable("demo_step_failed", step=name, log=str(log), said=said)


def drawing(out: Path, seed: int, scale: str) -> list[str]:
    """The command that draws a district; it needs the whole scientific stack, which nobody else here does."""
    command = [sys.executable, "-m", "gridmap.demo.district", "--out", str(out)]
    return [*command, "--seed", str(seed), "--scale", scale]


def find_held(database: Database) -> str | None:
    """A table with rows in it, or None: a demo never mixes with the data of a site."""
    with database.system.connect() as connection:
        for table in ("area", "account", "incident", "camera"):
            if connection.execute(text(f"SELECT EXISTS (SELECT FROM {table})")).scalar():
                return table
    return None
