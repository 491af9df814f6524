"""Deadlines: the worked examples of the rule files, properties of the arithmetic, suspensions, incomplete files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from beffroi.base.clock import queries
from beffroi.base.clock.deadlines import after_months
from beffroi.base.clock.queries import BadDeadline, FileState, Suspension, due_date, file_delays, rule
from beffroi.base.clock.rules import NotInForce

DAYS = st.dates(date(2016, 1, 1), date(2060, 12, 31))
PERMIT = "urbanisme.permis-construire"


@pytest.mark.parametrize("example", queries.examples(), ids=lambda example: f"{example.rule} {example.start}")
def test_every_worked_example_of_the_rules(example):
    counted = due_date(example.rule, example.start, region_id=example.region, extensions=example.extensions)
    zone = queries.region(example.region).timezone
    given_as_instant = {counted.last_day, counted.expires_at.astimezone(zone).replace(tzinfo=None)}
    assert example.due in given_as_instant, f"{example.source}: {[str(step.sentence) for step in counted.steps]}"


def test_every_rule_has_a_worked_example():
    shown = {example.rule for example in queries.examples()}
    shown |= {extension for example in queries.examples() for extension in example.extensions}
    # The same count as a rule that is shown, in the same file.
    same = {
        "urbanisme.permis-demolir",
        "urbanisme.permis-amenager",
        "urbanisme.majoration-deux-mois",
        "urbanisme.production-pieces",
        "urbanisme.notification-delai",
        "urbanisme.retrait",
        "urbanisme.validite",
    }
    assert {rule.id for rule in queries.rules()} - shown == same


def test_the_rules_shipped_read_whole():
    assert queries.rule_problems() == []


@given(day=DAYS, months=st.integers(1, 240))
def test_months_agree_with_a_second_way(day, months):
    assert after_months(day, months) == day + relativedelta(months=months)


@given(day=DAYS, months=st.integers(1, 120))
def test_months_keep_the_day_or_take_the_last(day, months):
    reached = after_months(day, months)
    assert reached.day == day.day or (reached.day < day.day and (reached + timedelta(days=1)).day == 1)


@given(first=DAYS, second=DAYS, months=st.integers(1, 36))
def test_a_later_start_never_ends_earlier(first, second, months):
    early, late = sorted((first, second))
    assert after_months(early, months) <= after_months(late, months)


@given(day=DAYS, region=st.sampled_from(["metropole", "alsace-moselle", "martinique"]))
def test_working_days_end_on_one_and_count_five(day, region):
    reached = due_date("signalements.voirie", max(day, date(2020, 1, 1)), region_id=region)
    start = max(day, date(2020, 1, 1))
    between = [start + timedelta(days=n) for n in range(1, (reached.last_day - start).days + 1)]
    worked = [d for d in between if queries.is_working_day(d, region)]
    assert (len(worked), worked[-1]) == (5, reached.last_day)


@given(day=DAYS)
def test_what_is_carried_over_ends_on_a_working_day_and_not_before(day):
    reached = due_date("administration.recours-contentieux", day).last_day
    assert queries.is_working_day(reached)
    assert after_months(day, 2) + timedelta(days=1) <= reached <= after_months(day, 2) + timedelta(days=6)


@given(at=st.integers(1_577_836_800, 2_524_608_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_hours_are_elapsed_whatever_the_clocks_do(at):
    assert due_date("signalements.proprete", at).expires_at - at == timedelta(hours=48)


def test_the_deadline_expires_at_midnight_where_the_commune_is():
    paris = due_date(PERMIT, date(2026, 3, 1))
    reunion = due_date(PERMIT, date(2026, 3, 1), region_id="la-reunion")
    assert paris.expires_at == datetime(2026, 6, 2, tzinfo=ZoneInfo("Europe/Paris"))
    assert paris.expires_at - reunion.expires_at == timedelta(hours=2)


def test_an_instant_starts_on_its_day_in_the_commune():
    late_evening = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert due_date(PERMIT, late_evening).last_day == date(2026, 6, 1)
    assert due_date(PERMIT, late_evening, region_id="martinique").last_day == date(2026, 5, 28)


def test_each_step_says_why_and_by_which_text():
    counted = due_date("rgpd.reponse", date(2026, 1, 31), extensions=["rgpd.prolongation"])
    assert [str(step.sentence) for step in counted.steps] == [
        "le délai part du 2026-01-31, qui ne compte pas (réception de la demande)",
        "1 mois mènent à un jour qui n'existe pas : dernier jour du mois, le 2026-02-28",
        "3 mois mènent à un jour qui n'existe pas : dernier jour du mois, le 2026-04-30",
    ]
    assert [step.article for step in counted.steps][1:] == [
        "RGPD, art. 12-3 ; règlement (CEE, Euratom) 1182/71, art. 3",
        "RGPD, art. 12-3",
    ]


def test_what_is_not_sure_says_so_in_the_trace():
    sure = rule("administration.accuse-reception-electronique")
    doubted = replace(sure, versions=tuple(replace(one, to_check="la durée") for one in sure.versions))
    assert str(due_date(sure, date(2026, 4, 1)).steps[-1].sentence).startswith("10 jours ouvrés")
    assert str(due_date(doubted, date(2026, 4, 1)).steps[-1].sentence) == "à vérifier : la durée"


def test_a_suspension_gives_its_days_back():
    pause = Suspension(date(2026, 4, 10), date(2026, 4, 19), reason="enquête")
    counted = due_date(PERMIT, date(2026, 3, 1), suspensions=[pause])
    assert counted.last_day == date(2026, 6, 11)


def test_days_suspended_twice_count_once_and_days_outside_do_not_count():
    pauses = [
        Suspension(date(2026, 4, 10), date(2026, 4, 19)),
        Suspension(date(2026, 4, 15), date(2026, 4, 24)),
        Suspension(date(2026, 2, 1), date(2026, 2, 20)),
        Suspension(date(2026, 12, 1), date(2026, 12, 20)),
    ]
    assert due_date(PERMIT, date(2026, 3, 1), suspensions=pauses).last_day == date(2026, 6, 16)


def test_a_suspension_of_working_days_gives_working_days_back():
    friday_to_monday = Suspension(date(2026, 11, 27), date(2026, 11, 30))
    plain = due_date("signalements.voirie", date(2026, 11, 25))
    paused = due_date("signalements.voirie", date(2026, 11, 25), suspensions=[friday_to_monday])
    assert (plain.last_day, paused.last_day) == (date(2026, 12, 2), date(2026, 12, 4))


def test_hours_are_suspended_too():
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    pause = Suspension(date(2026, 3, 3), date(2026, 3, 3))
    assert due_date("signalements.proprete", start, suspensions=[pause]).expires_at == start + timedelta(hours=72)


@pytest.mark.parametrize(
    ("rule", "start", "options", "told"),
    [
        ("signalements.proprete", date(2026, 3, 1), {}, "n'a pas d'heure"),
        (PERMIT, date(2026, 3, 1), {"extensions": ["rgpd.prolongation"]}, "ne s'ajoute pas"),
        (PERMIT, date(2026, 3, 1), {"extensions": ["urbanisme.majoration-un-mois"] * 2}, "ne s'ajoute pas"),
        (
            PERMIT,
            date(2026, 3, 1),
            {"extensions": ["urbanisme.majoration-un-mois", "urbanisme.majoration-deux-mois"]},
            "avec « urbanisme.majoration-deux-mois »",
        ),
        (
            PERMIT,
            date(2026, 3, 1),
            {"suspensions": [Suspension(date(2026, 4, 2), date(2026, 4, 1))]},
            "finit avant de commencer",
        ),
    ],
)
def test_what_cannot_be_counted_says_why(rule, start, options, told):
    with pytest.raises(BadDeadline) as refusal:
        due_date(rule, start, **options)
    assert told in str(refusal.value)


def test_a_rule_not_yet_in_force_is_not_applied():
    with pytest.raises(NotInForce, match="2018-05-01"):
        due_date("rgpd.reponse", date(2018, 5, 1))


def test_an_unknown_rule_is_told_with_the_nearest():
    with pytest.raises(queries.UnknownRule, match="vouliez-vous dire « urbanisme"):
        due_date("urbanisme.permis-construir", date(2026, 3, 1))


DEPOSIT = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("given_dates", "state", "due"),
    [
        ({}, FileState.RUNNING, date(2026, 6, 1)),
        ({"requested": date(2026, 4, 1)}, FileState.AWAITING, None),
        ({"requested": date(2026, 4, 2)}, FileState.RUNNING, date(2026, 6, 1)),
        ({"requested": date(2026, 4, 1), "supplied": date(2026, 5, 10)}, FileState.RESTARTED, date(2026, 8, 10)),
        ({"requested": date(2026, 4, 1), "supplied": date(2026, 7, 1)}, FileState.RESTARTED, date(2026, 10, 1)),
        ({"requested": date(2026, 4, 1), "supplied": date(2026, 7, 2)}, FileState.LAPSED, None),
        ({"requested": date(2026, 4, 1), "at": date(2026, 7, 2)}, FileState.LAPSED, None),
    ],
)
def test_missing_documents_stop_the_delay_only_when_asked_for_in_time(given_dates, state, due):
    delays = file_delays(PERMIT, deposited=DEPOSIT, **({"at": date(2026, 5, 1)} | given_dates))
    assert delays.request_limit.last_day == date(2026, 4, 1)
    assert delays.state == state
    assert (delays.due and delays.due.last_day) == due


def test_a_rule_without_missing_documents_says_so():
    with pytest.raises(BadDeadline, match="ne prévoit pas de pièces manquantes"):
        file_delays("rgpd.reponse", deposited=DEPOSIT, at=DEPOSIT)
    with pytest.raises(BadDeadline, match="désordre"):
        file_delays(PERMIT, deposited=DEPOSIT, at=DEPOSIT, requested=date(2026, 2, 1))
