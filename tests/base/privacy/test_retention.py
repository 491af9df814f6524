"""What has lived its time goes, what has not stays, and a run that is cut is run again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from beffroi.base.catalogue.models import Remark
from beffroi.base.clock.deadlines import after_months
from beffroi.base.journal import operations as journal
from beffroi.base.journal import tasks
from beffroi.base.journal.models import DailyRun, Event
from beffroi.base.kernel.personal import Fate
from beffroi.base.privacy import operations, rows
from beffroi.base.privacy.registry import declarations
from beffroi.base.territory.models import Person
from beffroi.base.territory.viewer import Role
from territory_makers import AT, TOWN, make_person, make_town

DECLARED = {declaration.label: declaration for declaration in declarations()}


def remark(days_ago: int) -> Remark:
    return Remark.objects.create(use_case="1-01", territory=TOWN, text="bien", created_at=AT - timedelta(days=days_ago))


def lines(at, **options):
    return {line.label: line for line in operations.run_retention(at, **options)}


@pytest.mark.django_db
def test_a_dry_run_counts_and_changes_nothing():
    remark(800)
    remark(10)
    assert lines(AT, dry_run=True)["catalogue.Remark"].rows == 1
    assert (Remark.objects.count(), Event.objects.count()) == (2, 0)


@pytest.mark.django_db
def test_what_has_lived_its_time_is_deleted_and_journaled():
    remark(800)
    kept = remark(10)
    line = lines(AT)["catalogue.Remark"]
    assert (line.rows, line.fate) == (1, Fate.DELETE)
    assert list(Remark.objects.all()) == [kept]
    told = Event.objects.get(kind="retention.applied", subject="processing:catalogue.Remark")
    assert told.payload["rows"] == 1
    assert lines(AT)["catalogue.Remark"].rows == 0


@pytest.mark.django_db
def test_a_run_cut_between_two_batches_is_taken_up_again(monkeypatch):
    monkeypatch.setattr(rows, "BATCH", 2)
    for _ in range(5):
        remark(800)
    steps = rows.batches(DECLARED["catalogue.Remark"], at=AT, dry_run=False)
    next(steps)
    next(steps)
    steps.close()
    # The batch under way is undone, the one before is kept.
    assert Remark.objects.count() == 3
    assert lines(AT)["catalogue.Remark"].rows == 3
    assert Remark.objects.count() == 0


@pytest.mark.django_db
def test_events_lose_their_persons_after_three_years_and_keep_what_happened():
    with_person = journal.record(kind="tests.done", subject="x:1", payload={}, actor=5, at=AT - timedelta(days=1200))
    recent = journal.record(kind="tests.done", subject="x:1", payload={}, actor=5, at=AT - timedelta(days=900))
    assert lines(AT)["journal.Event"].rows == 1
    assert Event.objects.get(pk=with_person).actor is None
    assert Event.objects.get(pk=recent).actor == 5
    assert lines(AT)["journal.Event"].rows == 0


@pytest.mark.django_db
def test_an_account_nobody_uses_is_erased_unless_it_holds_a_function():
    make_town()
    idle, in_office, fresh = make_person(Role.RESIDENT), make_person(Role.AGENT), make_person(Role.RESIDENT)
    old = AT - timedelta(days=1200)
    Person.objects.filter(pk__in=[idle, in_office]).update(created_at=old)
    Person.objects.filter(pk=fresh).update(created_at=old, last_login=AT - timedelta(days=30))
    assert lines(AT)["territory.Person"].rows == 1
    assert list(Person.objects.filter(name="").values_list("pk", flat=True)) == [idle]
    assert lines(AT)["territory.Person"].rows == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("label", "months"), [("catalogue.Remark", 24), ("territory.Person", 36)])
def test_the_threshold_is_counted_from_date_to_date(label, months):
    threshold = rows.threshold(DECLARED[label].purpose.retention, AT)
    assert threshold.date() == after_months(AT.date(), -months)


@pytest.mark.django_db
def test_the_worker_runs_the_retention_once_a_day():
    remark(800)
    assert "privacy.retention" in tasks.run_daily_jobs(AT)
    assert Remark.objects.count() == 0
    assert tasks.run_daily_jobs(AT + timedelta(minutes=1)) == []
    assert "privacy.retention" in tasks.run_daily_jobs(AT + timedelta(days=1))


@pytest.mark.django_db
def test_a_daily_job_that_fails_is_tried_again_an_hour_later():
    def broken(at):
        raise OSError("disque plein")

    tasks.every_day("tests.broken", broken)
    try:
        assert "tests.broken" not in tasks.run_daily_jobs(AT)
        row = DailyRun.objects.get(name="tests.broken")
        assert (row.next_at, row.last_error) == (AT + timedelta(hours=1), "OSError: disque plein")
    finally:
        tasks.forget_daily("tests.broken")
