"""The table of policies as text."""

from __future__ import annotations

from collections.abc import Iterator

from gridmap.simulate.study import Row, Study

_HEAD = (
    "policy",
    "units",
    "served",
    "missed",
    "response mean",
    "p50",
    "p90",
    "p95",
    "travel p50",
    "p90",
    "S1 p90",
    "S2 p90",
    "against first",
)


def lines_of(study: Study) -> Iterator[str]:
    """Lines to print: the period, the table (minutes), cover and work below it, then what it rests on."""
    period = study.period
    since = f"{period.start:%Y-%m-%d %H:%M}"
    yield f"{study.calls} calls in {period.days:g} days from {since}, {study.units} units; minutes"
    yield ""
    yield from _aligned([_HEAD, *(_cells(row) for row in study.rows)])
    yield ""
    yield "cover held, share of area-hours; jobs a unit (10 %, half, 90 %, most), units without a job, busy share"
    work = [
        ("policy", *sorted({key for row in study.rows for key in row.figures.cover}), "jobs", "none", "busy")
    ]
    for row in study.rows:
        figures = row.figures
        cover = [f"{figures.cover.get(key, float('nan')):.3f}" for key in work[0][1:-3]]
        jobs = " / ".join(f"{figures.jobs_per_unit[f'p{share}']:.0f}" for share in (10, 50, 90, 100))
        work.append(
            (row.label, *cover, jobs, str(figures.units_without_job), f"{figures.busy_share['p50']:.1%}")
        )
    yield from _aligned(work)
    yield ""
    yield from _grounds(study)


def _grounds(study: Study) -> Iterator[str]:
    if study.off_network:
        yield f"{study.off_network} calls lie more than 300 m from every road: nobody can be sent there"
    if not study.agreement:
        yield "travel times are the table's own: the routing engine did not answer"
    for mode, found in study.agreement.items():
        yield (
            f"{mode.value}: times x {found.stretch:g} to match the routing engine; on {found.pairs} other trips of"
            f" {found.median_trip_s:.0f} s they differ by {found.median_s:.0f} s (median), {found.p90_s:.0f} s (90 %),"
            f" {found.bias_s:+.0f} s on average"
        )


def _cells(row: Row) -> tuple[str, ...]:
    figures = row.figures
    response, travel = figures.response_min, figures.travel_min
    by_severity = figures.travel_min_by_severity
    against = (
        "" if row.against_first is None else _against(row.against_first.mean_min, row.against_first.error_min)
    )
    return (
        row.label,
        str(row.units),
        f"{figures.served}/{figures.calls}",
        str(figures.missed),
        *(f"{response.get(key, float('nan')):.2f}" for key in ("mean", "p50", "p90", "p95")),
        *(f"{travel.get(key, float('nan')):.2f}" for key in ("p50", "p90")),
        *(f"{by_severity.get(level, {}).get('p90', float('nan')):.2f}" for level in ("1", "2")),
        against,
    )


def _against(mean: float, error: float) -> str:
    return f"{mean:+.2f} ± {error:.2f}"


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *rest)).rstrip()
