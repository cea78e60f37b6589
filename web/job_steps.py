"""One step of a job: a verb in one transaction, answered with the job as it is after it."""

from __future__ import annotations

from collections.abc import Callable

from gridmap.db.tables import Dispatch
from gridmap.services.transaction import Tx
from web import shapes_jobs
from web.site import as_caller


def do_step(verb: Callable[[Tx], Dispatch]) -> shapes_jobs.DispatchLine:
    with as_caller() as tx:
        return shapes_jobs.dispatch_in(tx, verb(tx))
