"""Answers to a procedure, checked one by one against its declaration; what is not asked is not kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from shapely.geometry import Polygon

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.cases.definition import BadCase
from beffroi.serve.cases.words import clean_text
from beffroi.serve.procedures.declaration import Condition, Procedure, Question

MOST_CORNERS, MOST_ZONE_M2 = 200, 1_000_000
# What a database keeps exactly and no honest answer passes.
LARGEST = 1e12


def is_asked(question: Question, answers: Mapping[str, Any]) -> bool:
    """Tell whether a question is asked to one who gave these answers; an unasked one leads to no other."""
    return holds(question.when, answers)


def holds(condition: Condition | None, answers: Mapping[str, Any]) -> bool:
    """Tell whether a condition is met by these answers; none always is."""
    if condition is None:
        return True
    given = answers.get(condition.field)
    word = {True: "oui", False: "non"}.get(given, given) if isinstance(given, bool) else given
    return word in condition.among


def asked(procedure: Procedure, answers: Mapping[str, Any]) -> list[Question]:
    """Return the questions asked to one who gave these answers, in order."""
    found: list[Question] = []
    known: dict[str, Any] = {}
    for question in procedure.questions():
        if is_asked(question, known):
            found.append(question)
            if question.code in answers:
                known[question.code] = answers[question.code]
    return found


def checked_answers(
    procedure: Procedure, given: Mapping[str, Any], *, today: date, files: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return the answers by code, each of its type: a date as ISO text, an address as {label, lon, lat}.

    Args:
        files: how many files came for each question of that type; None: documents are not judged (an edit).

    Raises:
        BadCase: one is missing or cannot be; `where` names the question.
    """
    known = {one.code for one in procedure.questions() if one.type != "file"}
    if strange := [code for code in given if code not in known]:
        raise BadCase(
            "cette démarche ne demande pas « {code} »", where=strange[0][:40], remedy="retirez cette réponse",
            code=strange[0][:40],
        )  # fmt: skip
    kept: dict[str, Any] = {}
    for question in procedure.questions():
        if not is_asked(question, kept):
            continue
        if question.type == "file":
            if files is not None:
                _check_files(question, files.get(question.code, 0))
            continue
        answer = checked_answer(question, given.get(question.code), today=today)
        if answer is not None:
            kept[question.code] = answer
    return kept


def _check_files(question: Question, count: int) -> None:
    if question.required and not count:
        raise BadCase(
            "il manque la pièce : {label}", where=question.code, remedy="joignez-la, ou venez la montrer à la mairie",
            label=question.label,
        )  # fmt: skip
    if count > question.most:
        raise BadCase(
            "{count} fichiers pour « {label} », {most} au plus", where=question.code, remedy="gardez les plus lisibles",
            count=count, label=question.label, most=question.most,
        )  # fmt: skip


def checked_findings(questions: Sequence[Question], given: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """Return what an agent found, checked likewise; what she left empty is left out."""
    kept = {}
    for question in questions:
        if given.get(question.code) not in (None, ""):
            kept[question.code] = checked_answer(question, given[question.code], today=today)
    return kept


def checked_answer(question: Question, value: Any, *, today: date) -> Any:
    """Return one answer of its type, None when it is empty and may be.

    Raises:
        BadCase: it is missing, or is no answer to the question.
    """
    if value is None or value == "":
        if question.required:
            raise BadCase(
                "il manque une réponse : {label}",
                where=question.code,
                remedy="complétez ce champ",
                label=question.label,
            )
        return None
    readers = {
        "text": _text, "long": _long, "choice": _choice, "date": _date, "number": _number, "address": _address,
        "yes-no": _yes_no, "zone": _zone,
    }  # fmt: skip
    return readers[question.type](question, value, today)


def _refused(question: Question, value: Any, remedy: str, **values: Any) -> BadCase:
    return BadCase(
        "« {value} » n’est pas une réponse à : {label}", where=question.code, remedy=remedy,
        value=str(value)[:60], label=question.label, **values,
    )  # fmt: skip


def _text(question: Question, value: Any, _today: date) -> str:
    return clean_text(str(value), where=question.code, required=question.required, limit=300)


def _long(question: Question, value: Any, _today: date) -> str:
    return clean_text(str(value), where=question.code, required=question.required, limit=4000)


def _choice(question: Question, value: Any, _today: date) -> str:
    if value not in question.choices:
        raise _refused(question, value, gettext_noop("choisissez une des réponses proposées"))
    return str(value)


def _date(question: Question, value: Any, today: date) -> str:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise _refused(question, value, gettext_noop("donnez une date comme 2026-03-31")) from error
    first, last = (
        None if days is None else today + timedelta(days=days) for days in (question.from_days, question.to_days)
    )
    if (first and day < first) or (last and day > last):
        raise _refused(
            question, value, gettext_noop("donnez un jour du {first} au {last}"),
            first=f"{first:%d/%m/%Y}" if first else "…", last=f"{last:%d/%m/%Y}" if last else "…",
        )  # fmt: skip
    return day.isoformat()


def _number(question: Question, value: Any, _today: date) -> int | float:
    try:
        number = float(str(value).replace(",", ".").replace("\u202f", "").replace("\u00a0", "").strip())
    except ValueError as error:
        raise _refused(question, value, gettext_noop("donnez un nombre")) from error
    low = -LARGEST if question.min is None else question.min
    high = LARGEST if question.max is None else question.max
    if not math.isfinite(number) or not low <= number <= high:
        raise _refused(
            question, value, gettext_noop("donnez un nombre de {low} à {high}"), low=_plain(low), high=_plain(high)
        )
    if round(number, question.decimals) != number:
        raise _refused(question, value, gettext_noop("{n} chiffres au plus après la virgule"), n=question.decimals)
    return int(number) if question.decimals == 0 else number


def _plain(number: float) -> str:
    return f"{number:g}".replace(".", ",")


def _yes_no(question: Question, value: Any, _today: date) -> bool:
    if isinstance(value, bool):
        return value
    known = {"oui": True, "true": True, "1": True, "on": True, "non": False, "false": False, "0": False}
    found = known.get(str(value).lower())
    if found is None:
        raise _refused(question, value, gettext_noop("répondez par oui ou non"))
    return found


def _address(question: Question, value: Any, _today: date) -> dict[str, Any]:
    """Return an address; where it is may be unknown, in a town whose addresses were never brought."""
    given = value if isinstance(value, Mapping) else {"label": value}
    label = clean_text(str(given.get("label", "")), where=question.code, required=True, limit=200)
    lon, lat = given.get("lon"), given.get("lat")
    if lon is None or lat is None:
        return {"label": label, "lon": None, "lat": None}
    placed = all(isinstance(one, (int, float)) and math.isfinite(one) for one in (lon, lat))
    if not placed or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise _refused(question, label, gettext_noop("choisissez une adresse de la commune"))
    return {"label": label, "lon": round(float(lon), 6), "lat": round(float(lat), 6)}


def _zone(question: Question, value: Any, _today: date) -> list[list[float]]:
    """Return the corners of a zone, [lon, lat] in degrees (CRS84), in order."""
    try:
        corners = [[round(float(lon), 6), round(float(lat), 6)] for lon, lat in value]
        zone = Polygon(corners)
    except (TypeError, ValueError) as error:
        raise _refused(question, value, gettext_noop("dessinez une zone de trois coins au moins")) from error
    placed = all(math.isfinite(lon) and -180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in corners)
    if not placed or len(corners) > MOST_CORNERS or not zone.is_valid or not zone.area:
        raise _refused(question, value, gettext_noop("donnez les coins dans l’ordre où on les rencontre"))
    if zone_m2(corners) > MOST_ZONE_M2:
        raise BadCase(
            "la zone fait plus d’un kilomètre carré", where=question.code, remedy="dessinez l’emprise du chantier seul"
        )
    return corners


def zone_m2(corners: Sequence[Sequence[float]]) -> float:
    """Return the area of a zone, in square metres, on a plane around it."""
    middle = Polygon(corners).centroid
    across = 111_320.0 * math.cos(math.radians(middle.y))
    return float(Polygon([((lon - middle.x) * across, (lat - middle.y) * 111_320.0) for lon, lat in corners]).area)


def proposal_of(procedure: Procedure, answers: Mapping[str, Any]) -> str:
    """Return what the town proposes to one who gave these answers, "" where its rule has nothing to say."""
    rule = procedure.proposal
    number = answers.get(rule.by) if rule else None
    return rule.of(number) if rule and isinstance(number, (int, float)) else ""


def told_answer(question: Question, value: Any) -> str:
    """Return an answer as people read it, in French: documents and messages quote it."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if question.type == "choice":
        return question.choices.get(str(value), str(value))
    if question.type == "zone":
        lon, lat = Polygon(value).centroid.coords[0]
        return f"{zone_m2(value):.0f} m², autour de {lat:.5f}, {lon:.5f}"
    if question.type == "address":
        return str(value["label"])
    if question.type == "date":
        return f"{date.fromisoformat(value):%d/%m/%Y}"
    if question.type == "number":
        return f"{_plain(value)} {question.unit}".strip()
    return str(value)
