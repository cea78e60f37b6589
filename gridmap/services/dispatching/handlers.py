"""What falls due around offers and call-outs, by kind of timer."""

from __future__ import annotations

from gridmap.services import hand_overs, plan_due, plans, task_pauses, tasks
from gridmap.services.dispatching import callouts, delivery, escalation, needs, offers
from gridmap.services.reports import DISPATCH_DUE
from gridmap.services.timers import Handler

OFFER_TIMERS: dict[str, Handler] = {
    offers.OFFER_EXPIRES: offers.expire_offer,
    DISPATCH_DUE: offers.dispatch_overdue,
    offers.OFFER_UNDELIVERED: delivery.undelivered,
    needs.CALLOUT_REVIEW: escalation.review,
    callouts.CALLOUT_EXPIRES: escalation.level_over,
    plan_due.PLAN_DUE: plans.look_at_plan,
    tasks.TASK_DUE: tasks.task_overdue,
    tasks.TASK_WAITS: task_pauses.waited_too_long,
    hand_overs.HAND_OVER_DUE: hand_overs.not_acknowledged,
}
