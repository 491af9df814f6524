"""How a report comes in: checked whole, then written in one short transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from beffroi.base.clock import queries as clock
from beffroi.base.registry.statements import Insertion
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.store import DatasetRef
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import BadCase, Mandate, Requester, Upload
from beffroi.serve.cases.operations import Opened
from beffroi.serve.cases.words import clean_text
from beffroi.serve.reports import abuse
from beffroi.serve.reports.categories import Category, OpenCategory, category_for, checked_details
from beffroi.serve.reports.models import Origin, Report
from beffroi.serve.reports.obstacle_rules import obstacle_rule
from beffroi.serve.reports.places import Place, cell_of, checked_place, checked_zone
from beffroi.serve.reports.trust import trust_level
from beffroi.serve.reports.ways import tell_routes

KIND = "report"
_HOUSE_NUMBER = re.compile(r"^\s*\d+\s*(bis|ter|quater|[a-d])?\b[\s,]*", re.IGNORECASE)
_POSTCODE = re.compile(r"\s+\d{5}\b.*$")
_REPORTS, _ORIGINS = Insertion(Report), Insertion(Origin)
LONGEST_OBSTACLE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Submission:
    """A report as it was sent: degrees CRS84; `zone` is a GeoJSON polygon, `dataset` and `feature` an object."""

    category: str
    lon: float
    lat: float
    description: str = ""
    address: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    zone: str = ""
    dataset: str = ""
    feature: str = ""
    lasting: bool = False
    expires_on: date | None = None
    photos: tuple[Upload, ...] = ()
    idempotency_key: str = ""
    source: str = "web"


def file_report(
    *,
    territory: str,
    submission: Submission,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    sender: abuse.Sender | None = None,
    proof: str = "",
    mandate: Mandate | None = None,
) -> Opened:
    """Take a report in and return its number and its follow-up token; sent again with its key, it is the same one.

    Args:
        viewer: who sends it, which decides of the agents' own categories and of limits.
        sender: where it comes from (`abuse.sender_of`); limits apply to whoever has neither account nor key.
        proof: the proof of work, when one was asked for.
        mandate: from `cases.operations.mandate_of`, when it is filed for somebody else.

    Raises:
        UnknownCategory: nothing can be reported here under that code.
        BadCase: a place, an answer, a photo or a text cannot be kept; the message says which.
        AlreadySent: the key served for another kind of request.
        TooMany, ProofNeeded: too many come from there.
    """
    chosen = category_for(viewer, territory, submission.category)
    return file_in(
        chosen,
        territory=territory,
        submission=submission,
        requester=requester,
        viewer=viewer,
        at=at,
        sender=sender,
        proof=proof,
        mandate=mandate,
    )


def file_in(
    chosen: OpenCategory,
    *,
    territory: str,
    submission: Submission,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    sender: abuse.Sender | None = None,
    proof: str = "",
    mandate: Mandate | None = None,
) -> Opened:
    """Take a report in, in a category already chosen; see `file_report`."""
    category = chosen.category
    known = cases.already_sent(territory, submission.idempotency_key, kind=KIND, category=category.code)
    if known is not None:
        return known
    facts = _checked(chosen, territory, submission, at)
    held = _judged(sender, viewer, territory=territory, text=submission.description, proof=proof, at=at)
    files = cases.prepare_files(submission.photos)
    try:
        with transaction.atomic():
            opened = cases.open_case(
                territory=territory,
                kind=KIND,
                category=category.code,
                service=category.service,
                requester=requester,
                at=at,
                description=submission.description,
                access=category.access,
                mandate=mandate,
                due_rule=category.due,
                files=files,
                held=held,
                published=category.publish == "at-once",
                idempotency_key=submission.idempotency_key,
            )
            _REPORTS.one(case_id=opened.case_id, **facts)
            if sender is not None and abuse.is_limited(viewer):
                _ORIGINS.one(
                    report_id=opened.case_id,
                    territory=territory,
                    at=at,
                    device=sender.device,
                    network=sender.network,
                    words=abuse.words_of(submission.description),
                )
            if category.obstacle and not held and trust_level(territory, viewer.person_id) > 0:
                # The town answers for her word: others see it, and read it, at once.
                cases.accept_case(number=opened.number, by=None, at=at)
            if category.obstacle:
                tell_routes(opened.case_id, at=at)
    except IntegrityError:
        # Two sendings of one key at the same instant: the other was first.
        known = cases.already_sent(territory, submission.idempotency_key, kind=KIND, category=category.code)
        if known is None:
            raise
        return known
    return opened


def _judged(
    sender: abuse.Sender | None, viewer: Viewer, *, territory: str, text: str, proof: str, at: datetime
) -> bool:
    if sender is None or not abuse.is_limited(viewer):
        return False
    return abuse.judged(sender, territory=territory, text=text, proof=proof, at=at)


def _checked(chosen: OpenCategory, territory: str, submission: Submission, at: datetime) -> dict[str, Any]:
    """Return the columns of the report, everything checked."""
    category = chosen.category
    _check_photos(category, submission)
    zone = checked_zone(submission.zone) if submission.zone and category.geometry == "zone" else None
    lon, lat = submission.lon, submission.lat
    if zone is not None:
        inside = zone.representative_point()
        lon, lat = inside.x, inside.y
    place, district = checked_place(territory, lon, lat, minute=int(at.timestamp() // 60))
    public, private = checked_details(category, submission.details)
    address = clean_text(submission.address, where="address", limit=200)
    dataset, feature = _checked_object(category, territory, submission)
    facts: dict[str, Any] = {
        "use_case": chosen.use_case,
        "lon": place.lon,
        "lat": place.lat,
        "cell": cell_of(place.lon, place.lat),
        "address": address,
        "street": street_of(address),
        "district": district,
        "zone_wkb": None if zone is None else zone.wkb,
        "dataset": dataset,
        "feature": feature,
        "details": public,
        "private_details": private,
        "source": clean_text(submission.source, where="source", limit=20) or "web",
    }
    return facts | _match_facts(category, public, at) | _obstacle_facts(category, submission, territory, at)


def _check_photos(category: Category, submission: Submission) -> None:
    if category.photo == "required" and not submission.photos:
        raise BadCase(
            "« {label} » demande une photo", where="photo", remedy="joignez au moins une photo", label=category.label
        )
    if category.photo == "none" and submission.photos:
        raise BadCase("« {label} » ne prend pas de photo", where="photo", remedy="retirez-la", label=category.label)


def _checked_object(category: Category, territory: str, submission: Submission) -> tuple[str, str]:
    """Return the object named, once the lake knows it; a category without objects takes none."""
    if not submission.feature:
        return "", ""
    dataset = submission.dataset or category.object
    if not category.object or dataset != category.object or len(submission.feature) > 200:
        raise BadCase(
            "« {label} » ne concerne pas un objet de « {dataset} »",
            where="feature",
            remedy="montrez le lieu sur la carte",
            label=category.label,
            dataset=dataset[:100],
        )
    # Raises DatasetNotFound, which says it: no such object.
    lake.feature(Viewer(), DatasetRef(territory, dataset), submission.feature)
    return dataset, submission.feature


def street_of(address: str) -> str:
    """Return the street of an address: without its number, nor what follows the first comma or a postcode.

    >>> street_of("12 bis, rue du Four, 34000 Montpellier"), street_of("3 Place de la Comédie 34000 Montpellier")
    ('rue du Four', 'Place de la Comédie')
    """
    return _POSTCODE.sub("", _HOUSE_NUMBER.sub("", address).split(",")[0].strip())[:120]


def match_key(code: str, answer: object) -> str:
    """Return what reports of a category are looked up by, such as ``animal-perdu:chien``."""
    return f"{code}:{answer}"[:100]


def _match_facts(category: Category, answers: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    if category.matching is None:
        return {}
    said = answers.get(category.matching.date)
    return {
        "match_key": match_key(category.code, answers[category.matching.key]),
        "match_on": date.fromisoformat(said) if isinstance(said, str) else at.date(),
    }


def _obstacle_facts(category: Category, submission: Submission, territory: str, at: datetime) -> dict[str, Any]:
    rule = obstacle_rule(territory, category.code) if category.obstacle else None
    if rule is None:
        return {}
    if submission.lasting:
        return {"lasting": True, "expires_at": None}
    expires_at = at + timedelta(days=rule.temporary_days)
    if submission.expires_on is not None:
        # To the end of that day, in the town's own hour.
        end = datetime.combine(submission.expires_on, time(23, 59), tzinfo=clock.timezone_of(territory))
        if not at < end <= at + LONGEST_OBSTACLE:
            raise BadCase(
                "la fin prévue doit être à venir, dans l’année",
                where="expires_on",
                remedy="donnez une date à venir, ou dites l’obstacle durable",
            )
        expires_at = end
    return {"lasting": False, "expires_at": expires_at}


def place_of(report: Report) -> Place:
    """Return where a report is."""
    return Place(report.lon, report.lat)
