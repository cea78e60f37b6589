"""`gridmap risk`: the group of verbs about risk. A verb is one module; add it to the list below."""

from __future__ import annotations

import click

from gridmap.forecasting.backtest_verb import backtest


@click.group()
def risk() -> None:
    """Where and when incidents are to be expected, and how far that was right before."""


for verb in (backtest,):
    risk.add_command(verb)
