"""What a worker does for alerts: what is owed, at once; at night, what should not be kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_tasks import task

from beffroi.base.kernel.time import now
from beffroi.serve.alerts import cap_feeds, issuing
from beffroi.serve.alerts.models import Delivery, Follower, Wish

TURN_S = 5
UNCONFIRMED_KEPT = timedelta(days=7)
ORIGIN_KEPT = timedelta(days=1)


@task()
def deliver(issue: int) -> None:
    """Send what an issue owes."""
    issuing.deliver_issue(issue, at=now())


def daily(at: datetime) -> None:
    """Let go of addresses that never confirmed, and of where requests came from."""
    Wish.objects.filter(confirmed_at=None, asked_at__lt=at - UNCONFIRMED_KEPT).delete()
    Follower.objects.filter(wishes=None, asked_at__lt=at - UNCONFIRMED_KEPT).delete()
    Follower.objects.exclude(origin="").filter(asked_at__lt=at - ORIGIN_KEPT).update(origin="")
    cap_feeds.forget_old(at)
    Delivery.objects.filter(done_at__lt=at - timedelta(days=92)).delete()
