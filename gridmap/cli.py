"""The one command line. It knows no verb: packages register theirs in the entry-point group below.

Exit status: 0 done, 1 refused with a reason on stderr, 2 wrong usage.
"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points

import click

from gridmap.errors import GridmapError

COMMAND_GROUP = "gridmap.commands"


class _BrokenVerb(click.Command):
    """Stands in for a verb whose module cannot be loaded, so that the other verbs still work."""

    def __init__(self, name: str, entry: EntryPoint, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        super().__init__(
            name,
            short_help=f"cannot be loaded ({reason})",
            add_help_option=False,
            # Whatever was typed after the verb must reach `invoke`, not a usage error that hides the reason.
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )
        self._error = error
        self._message = f"'{name}' cannot be loaded from {entry.value}: {reason}"

    def invoke(self, ctx: click.Context) -> None:
        raise click.ClickException(self._message) from self._error


class VerbGroup(click.Group):
    """Loads a verb's module only when that verb, or the list of all verbs, is asked for."""

    def __init__(self, *, entry_point_group: str, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._entry_point_group = entry_point_group

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(entry_points(group=self._entry_point_group).names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = next(iter(entry_points(group=self._entry_point_group, name=cmd_name)), None)
        if entry is None:
            return None
        try:
            command = entry.load()
        except Exception as error:  # a verb's module may fail in any way; the reason is shown
            return _BrokenVerb(cmd_name, entry, error)
        if not isinstance(command, click.Command):
            return _BrokenVerb(cmd_name, entry, TypeError(f"{entry.value} is no click command"))
        return command


@click.group(
    cls=VerbGroup,
    entry_point_group=COMMAND_GROUP,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="gridmap", prog_name="gridmap")
def gridmap() -> None:
    """Grid-based public safety and city management: from a report to a verified close."""


def main() -> None:
    """Run one verb. A refusal becomes one line on stderr and exit status 1."""
    try:
        gridmap(prog_name="gridmap")
    except GridmapError as error:
        click.echo(f"gridmap: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
