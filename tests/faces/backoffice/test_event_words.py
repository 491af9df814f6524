"""Every kind of event a room tells has its words on the audit page."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import beffroi
from beffroi.faces.backoffice.event_words import WORDS, kind_said

KIND = re.compile(r"[a-z_]+\.[a-z_]+")


def modules_of_events() -> Iterator[ModuleType]:
    for one in pkgutil.walk_packages(beffroi.__path__, "beffroi."):
        if one.name.endswith(".events"):
            yield import_module(one.name)


def kinds_of(module: ModuleType) -> set[str]:
    """Return the kinds a module of events names: its constants, and the `kind` of its classes."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", module.__name__) == module.__name__]
    named = [getattr(value, "kind", value) if isinstance(value, type) else value for value in own]
    return {one for one in named if isinstance(one, str) and KIND.fullmatch(one) and not one.startswith("beffroi.")}


def test_every_kind_has_its_words() -> None:
    told = {kind for module in modules_of_events() for kind in kinds_of(module)}
    assert len(told) > 90
    assert sorted(told - WORDS.keys()) == [], "write them in faces/backoffice/event_words.py"
    assert kind_said("dataset.published") == "Jeu de données publié"
    assert kind_said("unknown.kind") == "unknown.kind"
