"""`gridmap demo`: a fictional district, served and alive; `--check` walks the main job through it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from gridmap.clock import SystemClock
from gridmap.demo.check import CheckFailed, Step
from gridmap.demo.district.manifest import load_manifest
from gridmap.demo.district.scale import SCALES
from gridmap.demo.load import USUAL_SCALE, USUAL_SEED, Stopped, drawing
from gridmap.demo.run import DemoOptions, run_check, run_demo
from gridmap.serve.cli import say, stop_on_signal
from gridmap.settings import Settings, load_settings

_EVERYWHERE = "0.0.0.0"

seed_option = click.option("--seed", type=click.IntRange(1), help=f"Which district; {USUAL_SEED} by default.")
scale_option = click.option(
    "--scale", type=click.Choice(sorted(SCALES)), help=f"How much of everything; {USUAL_SCALE} by default."
)


@click.group(invoke_without_command=True)
@seed_option
@scale_option
@click.option("--host", help="Address to listen on; the whole network unless set here or as GRIDMAP_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--simulate/--no-simulate", default=True, help="People move, things happen, risk is forecast.")
@click.option("--storm", is_flag=True, help="300 reports within ten minutes.")
@click.option("--check", is_flag=True, help="Walk the main job as a client would, then stop.")
@click.option("--json", "as_json", is_flag=True, help="With --check: answer with one JSON object.")
@click.pass_context
def demo(ctx: click.Context, /, **options: Any) -> None:
    """Run the demo district until Ctrl-C: loaded at the first start, up in seconds after."""
    if ctx.invoked_subcommand is not None:
        return
    if options["check"]:
        _check(**options)
    else:
        _run(**options)


@demo.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new folder.")
@seed_option
@scale_option
def generate(out: Path, seed: int | None, scale: str | None) -> None:
    """Write the files of a demo district, for `gridmap import`."""
    if out.exists() and any(out.iterdir()):
        raise click.UsageError(f"{out} is not empty")
    out.mkdir(parents=True, exist_ok=True)
    command = drawing(out.absolute(), seed or USUAL_SEED, scale or USUAL_SCALE)
    if subprocess.run(command).returncode != 0:
        sys.exit(1)
    for name, count in load_manifest(out).counts.items():
        click.echo(f"{name}: {count:,}")


def _run(**options: Any) -> None:
    chosen = DemoOptions(options["seed"], options["scale"], options["simulate"], options["storm"])
    with stop_on_signal() as stop, contextlib.suppress(Stopped):
        run_demo(_demo_settings(options["host"], options["port"]), SystemClock(), stop, say, chosen)


def _check(**options: Any) -> None:
    steps: list[Step] = []

    def on_step(step: Step) -> None:
        steps.append(step)
        if not options["as_json"]:
            click.echo(f"  {len(steps):2}. {step.name:<28}{step.ms:>9.1f} ms   {step.found}")

    failed: CheckFailed | None = None
    with stop_on_signal() as stop:
        try:
            run_check(
                _demo_settings(None, None),
                SystemClock(),
                stop,
                (lambda _: None) if options["as_json"] else say,
                DemoOptions(options["seed"], options["scale"]),
                on_step,
            )
        except CheckFailed as error:
            failed = error
    answer = {"ok": failed is None, "steps": [step.__dict__ for step in steps]}
    if failed is not None:
        answer["failed"] = {"code": failed.code, **failed.params}
    if options["as_json"]:
        click.echo(json.dumps(answer, ensure_ascii=False))
    elif failed is None:
        click.echo(f"check: all {len(steps)} steps passed")
    else:
        click.echo(f"check FAILED at '{failed.params.get('step')}': {failed}", err=True)
    sys.exit(0 if failed is None else 1)


def _demo_settings(host: str | None, port: int | None) -> Settings:
    """The deployment's settings as a demo: marked so, and over HTTPS, without which a phone's page is dead."""
    found = load_settings()
    changes: dict[str, object] = {"demo": True}
    if found.tls_mode == "off" and "tls_mode" not in found.model_fields_set:
        changes["tls_mode"] = "site_ca"
    if host or "host" not in found.model_fields_set:
        changes["host"] = host or _EVERYWHERE
    if port is not None:
        changes["port"] = port
    return found.model_copy(update=changes)
