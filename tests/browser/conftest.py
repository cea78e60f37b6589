"""One demo site for all browser tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.people import PATIENCE_MS
from tests.browser.site import DemoSite, demo_site
from tests.browser.tidy import Caretaker, caretaker

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def site() -> Iterator[DemoSite]:
    """The small demo district, served as a site serves it; nobody moves but who the test moves."""
    with demo_site("--no-simulate") as made:
        yield made


@pytest.fixture(scope="session")
def keeper(site: DemoSite) -> Iterator[Caretaker]:
    with caretaker(site) as found:
        yield found


@pytest.fixture(autouse=True)
def left_as_found(keeper: Caretaker) -> Iterator[None]:
    """All tests share one site: what a test began is ended after it, so that their order does not matter."""
    before = keeper.look()
    yield
    keeper.restore(before)


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    """Tests wait for a state, never for a time; a busy machine takes longer to come to it."""
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: a throwaway folder, or docs/pictures when GRIDMAP_DOCS_PICTURES is set."""
    if os.environ.get("GRIDMAP_DOCS_PICTURES"):
        folder = REPOSITORY / "docs" / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return tmp_path_factory.mktemp("pictures")
