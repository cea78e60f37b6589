"""Who is told when a unit enters or leaves a fence. Called in the transaction that stored the positions.

Each function gets the transaction (of the system) and the fresh events in order; it must be quick and lock rows in the
order incident, call-out, dispatch, unit.
"""

from __future__ import annotations

from collections.abc import Callable

from gridmap.positions.fence_engine import FenceEvent
from gridmap.services.dispatching.callouts import on_fence_events
from gridmap.services.transaction import Tx

REACTIONS: list[Callable[[Tx, list[FenceEvent]], None]] = [on_fence_events]
