"""The house's import law as functions over a tree of sources, so that a test can plant a breach in a copy."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = {
    "gridmap": {"gridmap"},
    "layers": {"layers", "gridmap"},
    "ingest": {"ingest", "layers", "gridmap"},
    "web": {"web", "layers", "gridmap"},
}

_BASE = {"errors", "clock", "settings"}
_ENGINES = {"optimise", "risk", "vision", "visibility"}
_BELOW_SERVICES = _BASE | _ENGINES | {"domain", "basemap", "adapters", "db"}
# Everything that starts or drives the rest; nothing below knows them.
_TOP = {"demo", "serve", "bench", "simulate", "forecasting", "worker"}
_SERVICES = {"services", "outbox", "timers", "jobs", "positions"}

# What each part of gridmap may import of gridmap, apart from itself. A part that is not here is reported:
# whoever adds one decides where it stands.
PARTS: dict[str, set[str]] = {
    "errors": set(),
    "bootstrap": set(),
    "clock": {"errors"},
    "domain": {"errors"},
    "settings": {"errors", "domain"},
    "cli": {"errors"},
    "__main__": {"cli"},
    **{engine: {"errors", "domain"} for engine in _ENGINES},
    "basemap": {"errors", "domain"},
    "adapters": _BASE | {"domain", "basemap"},
    "db": _BASE | {"domain", "adapters"},
    **dict.fromkeys(_SERVICES, _BELOW_SERVICES | _SERVICES),
    **dict.fromkeys(_TOP, _BELOW_SERVICES | _SERVICES | _TOP),
}

_STANDARD = frozenset(sys.stdlib_module_names)
# Packages outside the standard library that a part may use; parts that are not here may use any.
LIBRARIES: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "bootstrap": frozenset(),
    # uuid_utils stands in for the standard library's uuid7, which comes with Python 3.14.
    "domain": frozenset({"numpy", "shapely", "pyproj", "uuid_utils"}),
}
_ENGINE_REFUSES = frozenset({"sqlalchemy", "psycopg", "flask", "apiflask", "httpx", "requests"})

# An engine whose docstring lists, by module, what others may import of it.
_CONTRACTS = ("gridmap.risk",)
_CONTRACT_LINE = re.compile(r"^    (\w+) {2,}((?:\w+, )*\w+)(?: {2,}.*)?$", re.MULTILINE)
_REASON = re.compile(r"#\s*optional:\s*\S")
_MAP_LIBRARIES = r"maplibre-gl|ol|leaflet"
_MAP_IMPORT = re.compile(rf"""(?:from|import)\s*\(?\s*["'](?:{_MAP_LIBRARIES})(?:/[^"']*)?["']""")


@dataclass(frozen=True)
class Breach:
    """One place where the law is broken; `line` is 0 for a whole file."""

    file: str
    line: int
    law: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.law}"


@dataclass(frozen=True)
class Import:
    """`target` is a dotted module of this tree where one matches, else the name as written; `name` what is taken out of
    it, empty where it is the module itself."""

    target: str
    name: str
    line: int
    nested: bool
    excused: bool


@dataclass(frozen=True)
class Module:
    name: str
    file: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    @property
    def part(self) -> str:
        """The piece of gridmap this is in: `db` for gridmap.db.engine; empty for the package itself."""
        return part_of(self.name)


def part_of(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def find_breaches(root: Path) -> list[Breach]:
    """Every breach of the law in the checkout at `root`, in the order of its files."""
    modules = read_modules(root)
    breaches = [
        *_wrong_directions(modules),
        *_wrong_libraries(modules),
        *_outside_contracts(modules),
        *_nested_imports(modules),
        *_cycles(modules),
        *_bad_names(modules),
        *_maps_outside_map_folders(root),
    ]
    return sorted(breaches, key=lambda breach: (breach.file, breach.line))


def read_modules(root: Path) -> dict[str, Module]:
    """All Python modules of the four packages by dotted name."""
    files = {
        _module_name(file.relative_to(root)): file
        for package in PACKAGES
        for file in sorted((root / package).rglob("*.py"))
        if "node_modules" not in file.parts
    }
    return {name: _read(name, file, root, files.keys()) for name, file in files.items()}


def _module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _read(name: str, file: Path, root: Path, known: Container[str]) -> Module:
    source = file.read_text()
    tree = ast.parse(source, str(file))
    lines = source.splitlines()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    nested = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(outer)
    }
    imports = tuple(
        Import(target, name, node.lineno, id(node) in nested, bool(_REASON.search(lines[node.lineno - 1])))
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for target, name in _targets(node, package, known)
    )
    return Module(name, str(file.relative_to(root)), tree, imports)


def _targets(
    node: ast.Import | ast.ImportFrom, package: str, known: Container[str]
) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*above, base] if base else above)
    for alias in node.names:
        submodule = f"{base}.{alias.name}"
        yield (submodule, "") if submodule in known else (base, alias.name)


def _wrong_directions(modules: dict[str, Module]) -> Iterator[Breach]:
    for module in modules.values():
        for wanted in module.imports:
            package = wanted.target.split(".")[0]
            if package not in PACKAGES:
                continue
            if package not in PACKAGES[module.package]:
                law = f"{module.package} may not import {wanted.target}"
                yield Breach(module.file, wanted.line, law)
            elif module.package == "gridmap" and not _part_allowed(module.part, part_of(wanted.target)):
                law = f"gridmap.{module.part} may not import {wanted.target}"
                yield Breach(module.file, wanted.line, law)
        if module.package == "gridmap" and module.part and module.part not in PARTS:
            yield Breach(module.file, 0, f"gridmap.{module.part} has no place in the law: see PARTS")


def _part_allowed(importer: str, imported: str) -> bool:
    if importer not in PARTS or imported in ("", importer):
        return True
    return imported in PARTS[importer]


def _wrong_libraries(modules: dict[str, Module]) -> Iterator[Breach]:
    for module in modules.values():
        if module.package != "gridmap":
            continue
        for wanted in module.imports:
            library = wanted.target.split(".")[0]
            if library in _STANDARD or library in PACKAGES:
                continue
            allowed = LIBRARIES.get(module.part)
            outside = allowed is not None and library not in allowed
            if outside or (module.part in _ENGINES and library in _ENGINE_REFUSES):
                yield Breach(module.file, wanted.line, f"gridmap.{module.part} may not use {library}")


def _outside_contracts(modules: dict[str, Module]) -> Iterator[Breach]:
    """Imports from an engine, by others, of what its docstring does not list."""
    for engine in _CONTRACTS:
        if engine not in modules:
            continue
        told = _CONTRACT_LINE.findall(ast.get_docstring(modules[engine].tree, clean=False) or "")
        allowed = {f"{engine}.{module}.{name}" for module, names in told for name in names.split(", ")}
        for module in modules.values():
            if f"{module.name}.".startswith(f"{engine}."):
                continue
            for wanted in module.imports:
                full = f"{wanted.target}.{wanted.name}".rstrip(".")
                if f"{full}.".startswith(f"{engine}.") and full not in allowed:
                    yield Breach(module.file, wanted.line, f"{full} is not in the contract of {engine}")


def _nested_imports(modules: dict[str, Module]) -> Iterator[Breach]:
    for module in modules.values():
        for wanted in module.imports:
            if wanted.nested and not wanted.excused:
                law = f"import of {wanted.target} inside a function without '# optional: <why>'"
                yield Breach(module.file, wanted.line, law)


def _cycles(modules: dict[str, Module]) -> Iterator[Breach]:
    """Each module that can reach itself, named once with the way round."""
    arrows = {
        name: sorted({wanted.target for wanted in module.imports if wanted.target in modules} - {name})
        for name, module in modules.items()
    }
    reported: set[frozenset[str]] = set()
    for start in sorted(arrows):
        way = _way_back(start, arrows)
        if way and frozenset(way) not in reported:
            reported.add(frozenset(way))
            yield Breach(modules[start].file, 0, f"cycle: {' -> '.join([*way, start])}")


def _way_back(start: str, arrows: dict[str, list[str]]) -> list[str]:
    """The shortest way from `start` to itself, or nothing."""
    came_from: dict[str, str] = {}
    queue = [start]
    for here in queue:
        for there in arrows[here]:
            if there == start:
                way = [here]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if there not in came_from:
                came_from[there] = here
                queue.append(there)
    return []


def _bad_names(modules: dict[str, Module]) -> Iterator[Breach]:
    for module in modules.values():
        stem = module.name.rpartition(".")[2]
        if stem in ("utils", "util", "helpers", "misc", "common"):
            yield Breach(module.file, 0, f"{stem}.py says nothing about what is in it")
        in_register = re.fullmatch(r"(layers\.catalog|ingest\.sources)\.\w+", module.name)
        if in_register and not stem.startswith("_") and stem not in _keys_in(module.tree):
            yield Breach(module.file, 0, f"nothing in this file has the key '{stem}'")


def _keys_in(tree: ast.Module) -> set[str]:
    """Every text given as `key=...` to a call, or assigned to a name `key`."""
    values = [value for node in ast.walk(tree) for value in _values_named_key(node)]
    return {
        value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def _values_named_key(node: ast.AST) -> list[ast.expr | None]:
    match node:
        case ast.keyword(arg="key", value=value):
            return [value]
        case ast.AnnAssign(target=ast.Name(id="key" | "KEY"), value=value):
            return [value]
        case ast.Assign(targets=[ast.Name(id="key" | "KEY")], value=value):
            return [value]
    return []


def _maps_outside_map_folders(root: Path) -> Iterator[Breach]:
    frontend = root / "web" / "frontend"
    for file in sorted([*frontend.rglob("*.ts"), *frontend.rglob("*.vue")]):
        parts = file.relative_to(frontend).parts
        if "node_modules" in parts or (len(parts) > 2 and parts[1] == "map"):
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if _MAP_IMPORT.search(line):
                law = "only web/frontend/*/map may import a map library"
                yield Breach(str(file.relative_to(root)), number, law)
