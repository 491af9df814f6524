"""The questions that a file of use case adds to a request, and their answers: checked, typed, public or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from beffroi.serve.cases.definition import BadCase
from beffroi.serve.cases.words import clean_text

CODE = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class ExtraField(BaseModel):
    """One more question. `private` answers are for the service and their author only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=CODE, max_length=40)
    label: str = Field(min_length=2, max_length=200)
    type: Literal["text", "integer", "choice", "date", "boolean", "line"] = "text"
    required: bool = False
    private: bool = False
    choices: dict[str, str] = Field(default_factory=dict)
    min: int | None = None
    max: int | None = None
    help: str = Field(default="", max_length=300)

    @model_validator(mode="after")
    def _choices_of_a_choice(self) -> ExtraField:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(f"le champ « {self.code} » : un choix, et lui seul, a des « choices »")
        return self


def checked_answers(
    questions: Sequence[ExtraField], given: Mapping[str, Any], *, asker: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the answers to the questions of `asker` (its label) as (public, private), each of its type.

    Raises:
        BadCase: one is missing, of the wrong type, or answers a question that is not asked.
    """
    known = {one.code: one for one in questions}
    for code in given:
        if code not in known:
            raise BadCase(
                "« {label} » ne demande pas « {code} »",
                where=code[:40],
                remedy="retirez ce champ",
                label=asker,
                code=code[:40],
            )
    public: dict[str, Any] = {}
    private: dict[str, Any] = {}
    for code, question in known.items():
        value = given.get(code)
        if value is None or value == "" or value == []:
            if question.required:
                raise BadCase(
                    "il manque une réponse : {label}", where=code, remedy="complétez ce champ", label=question.label
                )
            continue
        (private if question.private else public)[code] = _answer(question, value)
    return public, private


def _answer(question: ExtraField, value: Any) -> Any:
    text = clean_text(str(value), where=question.code, limit=300)
    reader = {
        "integer": _integer,
        "choice": _choice,
        "date": _date,
        "boolean": _boolean,
        "text": lambda _question, words: words,
        # Lines change with each timetable: one that runs no more, or is not known here, stays an answer.
        "line": lambda _question, words: words,
    }[question.type]
    answer = reader(question, text)
    if answer is None:
        raise BadCase(
            "« {value} » n’est pas une réponse à : {label}",
            where=question.code,
            remedy="{expected}",
            value=text[:60],
            label=question.label,
            expected=_expected(question),
        )
    return answer


def _integer(question: ExtraField, text: str) -> int | None:
    # Eighteen digits: what a database keeps, and what no honest answer passes.
    number = int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) <= 18 else None
    low, high = question.min, question.max
    if number is None or (low is not None and number < low) or (high is not None and number > high):
        return None
    return number


def _choice(question: ExtraField, text: str) -> str | None:
    return text if text in question.choices else None


def _date(_question: ExtraField, text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _boolean(_question: ExtraField, text: str) -> bool | None:
    return {"true": True, "1": True, "oui": True, "on": True, "false": False, "0": False, "non": False}.get(
        text.lower()
    )


def _expected(question: ExtraField) -> str:
    if question.type == "choice":
        return "choisissez parmi : " + ", ".join(question.choices)
    if question.type == "integer":
        bounds = [f"au moins {question.min}"] if question.min is not None else []
        bounds += [f"au plus {question.max}"] if question.max is not None else []
        return "donnez un nombre entier" + (", " + " et ".join(bounds) if bounds else "")
    return "donnez une date comme 2026-03-31" if question.type == "date" else "répondez par oui ou non"
