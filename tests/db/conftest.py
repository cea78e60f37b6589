"""A world for the tests of the services."""

from __future__ import annotations

import pytest

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from tests.world import World, make_world


@pytest.fixture
def world(database: Database, clock: FixedClock) -> World:
    """Two counties with four grids each; nobody in them yet."""
    return make_world(database, clock)
