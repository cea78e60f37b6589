"""One small district for all tests of the generator: drawing it takes some twenty seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from gridmap.demo.district.generate import ZONE, generate
from gridmap.demo.district.manifest import Manifest
from gridmap.demo.district.scale import SMALL

SEED = 7
UNTIL = datetime(2026, 3, 20, 10, 0, tzinfo=ZONE)


@dataclass(frozen=True)
class District:
    """A generated folder and its manifest."""

    folder: Path
    manifest: Manifest


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    folder = tmp_path_factory.mktemp("district")
    return District(folder, generate(folder, SEED, SMALL, until=UNTIL))
