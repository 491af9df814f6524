"""What import-linter cannot see: string foreign keys, another room's models, rooms whose files have other names."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

SOURCES = Path(__file__).resolve().parents[2] / "src" / "beffroi"
FLOORS = ("base", "lake", "sense", "serve", "faces", "config")
# The kernel and the clock hold no registry; the lake is a floor of one room.
DJANGO_ROOMS = [config for config in apps.get_app_configs() if config.name.startswith("beffroi.")]


def floor_of(app_name: str) -> int:
    return FLOORS.index(app_name.split(".")[1])


@cache
def imported_modules(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, node.module)]
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
    return found


def test_foreign_keys_point_downwards_or_stay_in_their_room() -> None:
    upward = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for config in DJANGO_ROOMS
        for model in config.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        for target in [apps.get_app_config(field.related_model._meta.app_label)]
        if target.name.startswith("beffroi.")
        and target.name != config.name
        and floor_of(target.name) > floor_of(config.name)
    ]
    assert not upward, "foreign keys point downwards (docs/architecture.md): " + ", ".join(upward)


@pytest.mark.parametrize("config", DJANGO_ROOMS, ids=lambda config: config.label)
def test_nobody_enters_a_room_by_its_models(config: object) -> None:
    room = SOURCES.joinpath(*config.name.split(".")[1:])  # type: ignore[attr-defined]
    models = f"{config.name}.models"  # type: ignore[attr-defined]
    offenders = [
        f"{path.relative_to(SOURCES)}:{line}"
        for path in SOURCES.rglob("*.py")
        if not path.is_relative_to(room)
        for line, module in imported_modules(path)
        if module == models or module.startswith(models + ".")
    ]
    assert not offenders, f"enter {config.name} by queries, operations or events: {offenders}"  # type: ignore[attr-defined]


def test_no_query_names_a_model_of_another_room_by_string() -> None:
    """`apps.get_model("territory", …)` would go round the door."""
    offenders = []
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "get_model"
                and "migrations" not in path.parts
                # These two rooms work on every model that declares itself, never on one they name.
                and not path.is_relative_to(SOURCES / "base" / "privacy")
                and not path.is_relative_to(SOURCES / "config")
                and any(isinstance(arg, ast.Constant) for arg in node.args)
            ):
                offenders.append(f"{path.relative_to(SOURCES)}:{node.lineno}")
    assert not offenders


def test_every_room_says_what_question_it_answers() -> None:
    silent = [
        str(path.relative_to(SOURCES))
        for floor in FLOORS
        for path in (SOURCES / floor).glob("*/__init__.py")
        if path.parent.name not in {"migrations", "commands", "templates", "static", "bench"}
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent, f"the first line of a room's __init__.py says what it is for: {silent}"


def test_rooms_are_not_empty_shells() -> None:
    empty = [
        str(init.parent.relative_to(SOURCES))
        for floor in FLOORS
        for init in (SOURCES / floor).glob("*/__init__.py")
        if not [path for path in init.parent.rglob("*.py") if path.name not in {"__init__.py", "apps.py"}]
    ]
    assert not empty, f"a room comes into being when it has something to hold: {empty}"
