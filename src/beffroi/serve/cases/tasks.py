"""What a worker does: at once, a notification; each night, files that nothing names and old deliveries swept away."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import chain

from django_tasks import task

from beffroi.base.kernel.time import now
from beffroi.serve.cases import store
from beffroi.serve.cases.models import Attachment, WebhookDelivery
from beffroi.serve.cases.push import telling

logger = logging.getLogger(__name__)
# A file is written before the row that names it; no transaction lasts a day.
GRACE = timedelta(days=1)
DELIVERIES_KEPT = timedelta(days=30)


@task()
def send_notification(message_id: int) -> None:
    """Send one notification to one device."""
    telling.send(message_id, at=now())


def daily(at: datetime) -> None:
    """Delete the files whose attachments the retention or an erasure has deleted; plan forgotten notifications anew."""
    telling.plan_forgotten(at)
    pairs = Attachment.objects.values_list("digest", "thumbnail").iterator()
    elsewhere = chain.from_iterable(named() for named in store.NAMED_ELSEWHERE)
    deleted = store.sweep(chain(chain.from_iterable(pairs), elsewhere), before=at - GRACE)
    WebhookDelivery.objects.filter(last_at__lt=at - DELIVERIES_KEPT).delete()
    if deleted:
        logger.info("%s attachment files without a request deleted", deleted)
