"""Getting the demo district into the database: generated once, then imported file by file, each step once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def is_loaded(settings: Settings) -> bool:
    """True when a whole demo district is in this data folder."""
    folder = DemoFolder.of(settings)
    return folder.log_ins.exists() and bool(_read(folder.progress).get("complete"))


def ensure_loaded(
    settings: Settings, database: Database, clock: Clock, *, seed: int, scale: str, say: Say
) -> DemoLogIns:
    """Generate and load the district where it is not there yet; goes on where a broken-off load stopped.

    Raises Conflict("database_holds_other_data") for a database that somebody works with, and
    Conflict("demo_is_another") when another seed or scale is loaded.
    """
    folder = DemoFolder.of(settings)
    wanted = {"seed": seed, "scale": scale}
    progress = _read(folder.progress)
    if not progress:
        _require_empty(database)
        progress = {**wanted, "done": []}
        folder.path.mkdir(parents=True, exist_ok=True)
        _write(folder.progress, progress)
    elif {name: progress[name] for name in wanted} != wanted:
        raise Conflict("demo_is_another", loaded_seed=progress["seed"], loaded_scale=progress["scale"])
    if progress.get("complete"):
        return read_log_ins(folder.log_ins)
    _ensure_generated(folder, seed, scale, say)
    for arguments in load_manifest(folder.district).imports:
        key = " ".join(arguments)
        if key not in progress["done"]:
            _import(settings, folder.district, arguments, say)
            progress["done"].append(key)
            _write(folder.progress, progress)
    if not folder.log_ins.exists():
        write_log_ins(make_accounts(database, clock, folder.district / CREWS), folder.log_ins)
    _write(folder.progress, {**progress, "complete": True})
    return read_log_ins(folder.log_ins)


def _ensure_generated(folder: DemoFolder, seed: int, scale: str, say: Say) -> None:
    if (folder.district / MANIFEST_NAME).exists():
        return
    begun = time.monotonic()
    say("demo: drawing the district")
    unfinished = folder.district.with_name("district.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    draw(unfinished, seed, scale, on_line=lambda line: say(f"demo: {line}"))
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


def _require_empty(database: Database) -> None:
    """A demo never mixes with the data of a site."""
    with database.system.connect() as connection:
        for table in ("area", "account", "incident", "camera"):
            if connection.execute(text(f"SELECT EXISTS (SELECT FROM {table})")).scalar():
                raise Conflict("database_holds_other_data", table=table)


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    fresh.replace(path)
