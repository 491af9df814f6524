"""Whom to call and where to go when it matters: opens without account, and without network once installed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.layers import ListedDataset, listed_dataset
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary

FILE = Path(__file__).resolve().parents[1] / "data" / "urgences.toml"
MOST_PLACES = 20


@dataclass(frozen=True, slots=True)
class Number:
    """A number to call, or to write to when `sms`."""

    number: str
    title: str
    description: str
    urgent: bool = False
    sms: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """What one may need at once, and the town's datasets that tell where it is."""

    slug: str
    title: str
    icon: str
    datasets: tuple[ListedDataset, ...]


@cache
def _said() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def numbers() -> list[Number]:
    """Return the numbers, in the order of the file, in the reader's language."""
    return [
        Number(**{**one, "title": _(one["title"]), "description": _(one["description"])}) for one in _said()["number"]
    ]


def needs(territory: str) -> list[Need]:
    """Return the needs that a town's public data answer; a dataset is listed once, under the first it answers.

    Always what everyone may read: devices keep this page, whoever opened it.
    """
    known, shown = lake.datasets(ANONYMOUS, territory=territory), []
    for one in _said()["need"]:
        found = [dataset for dataset in known if _answers(dataset, one["words"])]
        known = [dataset for dataset in known if dataset not in found]
        if found:
            listed = tuple(listed_dataset(ANONYMOUS, dataset, (), most=MOST_PLACES) for dataset in found)
            shown.append(Need(one["slug"], _(one["title"]), one["icon"], listed))
    return shown


def _answers(dataset: DatasetSummary, words: list[str]) -> bool:
    name = f"-{dataset.ref.slug}-"
    return any(f"-{word}-" in name for word in words)


@open_to(EVERYONE)
@require_safe
def urgences(request: HttpRequest) -> HttpResponse:
    """Show the emergency numbers, then where to find care, food, water and shelter in the town."""
    request = cast(Request, request)
    every = numbers()
    context = {
        "urgent": [one for one in every if one.urgent],
        "others": [one for one in every if not one.urgent],
        "needs": needs(territory_of(request)),
    }
    return render(request, "portal/urgences.html", context)
