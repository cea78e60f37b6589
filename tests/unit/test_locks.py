"""Locks pin by hash and leave it to the machine where packages are fetched from."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture_rules import PACKAGES, read_modules

ROOT = Path(__file__).resolve().parents[2]
PYTHON_LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-node.lock")
NPM_LOCK = ROOT / "web" / "frontend" / "package-lock.json"

# Put together here, so that this file does not name what it forbids.
INDEX_WORDS = re.compile(
    "|".join(
        [
            r"pypi\.(?:org|python)",
            r"python" + r"hosted",
            r"registry\.(?:npmjs|yarnpkg|npmmirror)",
            r"^\s*(?:--)?(?:extra-)?index-" + r"url",
            r"^\s*(?:--)?find-" + r"links",
            r"^\s*registry\s*=",
            r'"resolved"\s*:',
        ]
    ),
    re.IGNORECASE | re.MULTILINE,
)
NOT_OURS = {
    ".git",
    ".venv",
    "node_modules",
    "dist",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
}
CONFIGURATION = re.compile(r"\.(?:lock|toml|cfg|ini|conf|json|ya?ml|npmrc|mk|sh)$|(?:^|/)(?:Makefile|run)$")


def read_lock(name: str) -> dict[str, str]:
    """Each pin as written ("numpy==2.4.6") with the rest of its lines."""
    joined = (ROOT / name).read_text().replace("\\\n", " ")
    return {line.split()[0]: line for line in joined.splitlines() if line.strip()}


def configuration_files() -> Iterator[str]:
    """Every file of the checkout, not of its dependencies, that could tell a tool where to fetch from."""
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in NOT_OURS]
        for file in files:
            path = str(Path(folder, file).relative_to(ROOT))
            if CONFIGURATION.search(path):
                yield path


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_every_pin_has_hashes_and_an_exact_version(name: str) -> None:
    pins = read_lock(name)
    assert pins
    for pin, line in pins.items():
        assert re.fullmatch(r"[a-z0-9-]+(?:\[[a-z,]+\])?==[\w.+!]+", pin), pin
        assert "--hash=sha256:" in line, pin


def test_tests_run_on_what_is_shipped() -> None:
    shipped, tested = read_lock("requirements.lock"), read_lock("requirements-test.lock")
    assert shipped.keys() <= tested.keys()


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = {pin.split("==")[0].split("[")[0] for pin in read_lock("requirements-test.lock")}
    for requirement in [*project["dependencies"], *extras["setup"], *extras["test"]]:
        assert normal_name(requirement) in names, f"{requirement}: run make lock"


def test_every_imported_library_is_declared() -> None:
    """A library that is only there because another one needs it may be gone with that one's next version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {normal_name(requirement) for requirement in project["dependencies"]}
    providers = packages_distributions()
    imported = {
        wanted.target.split(".")[0] for module in read_modules(ROOT).values() for wanted in module.imports
    }
    libraries = imported - sys.stdlib_module_names - PACKAGES.keys()
    undeclared = {
        name for name in libraries if not declared & {normal_name(n) for n in providers.get(name, [name])}
    }
    assert undeclared == set()


def normal_name(requirement: str) -> str:
    """The name of a requirement as the lock writes it."""
    return re.split(r"[\[<>=;~! ]", requirement)[0].lower().replace("_", "-")


def test_npm_packages_are_pinned_by_integrity() -> None:
    packages = json.loads(NPM_LOCK.read_text())["packages"]
    missing = [name for name, package in packages.items() if name and "integrity" not in package]
    assert missing == []


def test_no_configuration_names_an_index() -> None:
    files = list(configuration_files())
    assert "requirements.lock" in files
    named = [name for name in files if INDEX_WORDS.search((ROOT / name).read_text())]
    assert named == []


@pytest.mark.parametrize(
    "text",
    [
        "https://pypi." + "org/simple",
        "--index-" + "url https://example.com/",
        "[global]\nindex-" + "url = https://example.com",
        "registry=" + "https://example.com",
        '"resolved": "https' + '://example.com/x.tgz"',
    ],
)
def test_an_index_would_be_seen(text: str) -> None:
    assert INDEX_WORDS.search(text)
