"""Checks the table of one use case file, key by key, and says every reason at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from beffroi.base.catalogue.definition import Audience, BrokenUseCase, Example, State, Theme, UseCase
from beffroi.base.catalogue.engine import engine as engine_named
from beffroi.base.catalogue.engine import engines
from beffroi.base.kernel.sentences import Sentence, gettext_noop

REQUIRED = ("title", "workshop", "audience", "engine", "need")
KEYS = (*REQUIRED, "state", "also", "themes", "promise", "example")
EXAMPLE_KEYS = ("when", "then")
MAX_TITLE = 200


def validated(
    table: Mapping[str, Any],
    *,
    text: str,
    where: str,
    id: str,
    slug: str,
    folder: str,
    themes: Mapping[str, Theme],
    local: bool,
) -> UseCase | list[BrokenUseCase]:
    """Return the use case the table describes, or every problem found in it."""
    check = _Check(table, text, where)
    title = check.sentence("title", limit=MAX_TITLE)
    need = check.sentence("need", limit=600)
    promise = check.sentence("promise", limit=600, required=False)
    workshop = _workshop(check, id=id, folder=folder)
    audience = check.choices("audience", [item.value for item in Audience])
    names = engines()
    main = check.choice("engine", names)
    also = check.choices("also", names, required=False)
    chosen_themes = check.choices("themes", themes, required=False)
    state = check.choice("state", [item.value for item in State], required=False) or State.DRAFT.value
    settings, unset = _settings(check, [name for name in (main, *also) if name], names, draft=state == State.DRAFT)
    examples = _examples(check)
    if main and not check.problems:
        _readiness(check, State(state), main, examples)
    if check.problems:
        return check.problems
    return UseCase(
        id=id,
        slug=slug,
        title=title,
        workshop=workshop,
        audience=tuple(Audience(item) for item in audience),
        engine=main,
        state=State(state),
        also=tuple(name for name in also if name != main),
        themes=tuple(chosen_themes),
        need=need,
        promise=promise,
        settings=settings,
        examples=examples,
        source=where,
        local=local,
        unset=unset,
    )


class _Check:
    """Read keys of one table and collect what is wrong with them, each with its line."""

    def __init__(self, table: Mapping[str, Any], text: str, where: str) -> None:
        self.table, self.text, self.where = table, text, where
        self.problems: list[BrokenUseCase] = []

    def refuse(self, key: str, what: str, remedy: str, **values: Any) -> None:
        line = self.line_of(key)
        where = f"{self.where}:{line}" if line else self.where
        self.problems.append(BrokenUseCase(what, where=where, remedy=remedy, key=key, **values))

    def line_of(self, key: str) -> int | None:
        """Return the line where the key, or the table it belongs to, first stands; None when it does not."""
        for candidate in (key, key.split(".")[-1], key.split(".")[0]):
            found = re.search(rf"^\s*\[*\s*{re.escape(candidate)}\s*[=\]]", self.text, re.MULTILINE)
            if found:
                return self.text.count("\n", 0, found.end()) + 1
        return None

    def _present(self, key: str, required: bool) -> bool:
        if key in self.table:
            return True
        if required:
            self.refuse(key, "clé {key} absente", "ajoutez-la : elle est obligatoire")
        return False

    def sentence(self, key: str, *, limit: int, required: bool = True) -> str:
        if not self._present(key, required):
            return ""
        value = self.table[key]
        if not isinstance(value, str) or not value.strip() or len(value) > limit:
            self.refuse(
                key,
                "{key} n’est pas un texte de 1 à {limit} caractères",
                "écrivez une phrase entre guillemets",
                limit=limit,
            )
            return ""
        return value.strip()

    def choice(self, key: str, allowed: Iterable[str], *, required: bool = True) -> str:
        if not self._present(key, required):
            return ""
        value = self.table[key]
        if isinstance(value, str) and value in allowed:
            return value
        self._unknown(key, value, list(allowed))
        return ""

    def choices(self, key: str, allowed: Iterable[str], *, required: bool = True) -> list[str]:
        if not self._present(key, required):
            return []
        values = self.table[key]
        allowed = list(allowed)
        if not isinstance(values, list) or (required and not values):
            self.refuse(
                key,
                "{key} n’est pas une liste",
                'écrivez par exemple {key} = ["{first}"]',
                first=allowed[0] if allowed else "",
            )
            return []
        wrong = [value for value in values if not isinstance(value, str) or value not in allowed]
        for value in wrong:
            self._unknown(key, value, allowed)
        return [] if wrong else list(dict.fromkeys(values))

    def _unknown(self, key: str, value: Any, allowed: list[str]) -> None:
        close = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.6)
        if close:
            self.refuse(
                key, "{key} « {value} » inconnu", "vouliez-vous dire « {close} » ?", value=value, close=close[0]
            )
        else:
            self.refuse(
                key,
                "{key} « {value} » inconnu",
                "valeurs possibles : {allowed}",
                value=value,
                allowed=", ".join(allowed),
            )


def _workshop(check: _Check, *, id: str, folder: str) -> int:
    value = check.table.get("workshop")
    if "workshop" not in check.table:
        check.refuse("workshop", "clé {key} absente", "ajoutez-la : elle est obligatoire")
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 12:
        check.refuse(
            "workshop", "{key} « {value} » n’est pas un nombre de 0 à 12", "donnez le numéro de l’atelier", value=value
        )
        return 0
    prefix = id.partition("-")[0]
    # G is the platform itself (workshop 0); T is what a town adds, in the workshop it likes.
    expected = {"G": 0, "T": value}.get(prefix) if prefix in "GT" else int(prefix)
    if value != expected:
        check.refuse(
            "workshop",
            "{key} vaut {value}, mais l’identifiant {id} est de l’atelier {expected}",
            "corrigez l’un ou l’autre",
            value=value,
            id=id,
            expected=expected,
        )
    elif folder != str(value):
        check.refuse(
            "workshop",
            "fichier rangé dans le dossier « {folder} », mais {key} vaut {value}",
            "déplacez-le dans le dossier {value}",
            folder=folder,
            value=value,
        )
    return value


def _settings(
    check: _Check, used: list[str], names: Mapping[str, Any], *, draft: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the table of each engine used, as its schema made it, and the engines whose table is yet to be written.

    Refuses keys nobody reads, and a missing table unless the use case is a draft.
    """
    settings: dict[str, Any] = {}
    for key, value in check.table.items():
        if key in KEYS:
            continue
        if key in names and key not in used:
            check.refuse(
                key, "table [{key}] d’un moteur que l’usage n’emploie pas", "ajoutez {key} à also, ou ôtez la table"
            )
        elif key not in names:
            close = difflib.get_close_matches(key, [*KEYS, *used], n=1)
            remedy = (
                gettext_noop("vouliez-vous dire « {close} » ?") if close else gettext_noop("ôtez-la : rien ne la lit")
            )
            check.refuse(key, "clé {key} inconnue", remedy, close=close[0] if close else "")
        elif not isinstance(value, dict):
            check.refuse(key, "{key} n’est pas une table", "écrivez [{key}] sur une ligne, puis ses réglages")
        else:
            settings[key] = _engine_settings(check, key, value)
    absent = [name for name in used if name not in check.table]
    unset = tuple(name for name in absent if draft and _wants_settings(name))
    settings |= {name: _engine_settings(check, name, {}) for name in absent if name not in unset}
    return settings, unset


def _wants_settings(name: str) -> bool:
    probe = _Check({}, "", "")
    _engine_settings(probe, name, {})
    return bool(probe.problems)


def _engine_settings(check: _Check, name: str, table: dict[str, Any]) -> Any:
    known = engine_named(name)
    if known is None or known.schema is None:
        return table
    try:
        if isinstance(known.schema, type) and issubclass(known.schema, BaseModel):
            return known.schema.model_validate(table)
        read: Callable[[Mapping[str, Any]], Any] = known.schema
        return read(table)
    except ValueError as error:
        for path, reason, remedy, values in _schema_errors(error, known.schema):
            check.refuse(f"{name}.{path}" if path else name, "{key} : {reason}", remedy, reason=reason, **values)
        return table


def _schema_errors(error: ValueError, schema: Any) -> list[tuple[str, Sentence, str, dict[str, Any]]]:
    """Return (key, reason, remedy, values) for each error of a pydantic validation, or one for a bare ValueError."""
    details = getattr(error, "errors", None)
    if details is None:
        return [("", Sentence("{text}", {"text": str(error)}), gettext_noop("corrigez ce réglage"), {})]
    fields = list(getattr(schema, "model_fields", {}))
    listed = []
    for item in details():
        path = ".".join(str(part) for part in item["loc"])
        close = difflib.get_close_matches(path, fields, n=1)
        if item["type"] == "extra_forbidden" and close:
            listed.append(
                (
                    path,
                    Sentence("réglage inconnu"),
                    gettext_noop("vouliez-vous dire « {close} » ?"),
                    {"close": close[0]},
                )
            )
        elif item["type"] == "extra_forbidden":
            listed.append((path, Sentence("réglage inconnu"), gettext_noop("ôtez-le : rien ne le lit"), {}))
        elif item["type"] == "missing":
            listed.append((path, Sentence("réglage absent"), gettext_noop("ajoutez-le : il est obligatoire"), {}))
        else:
            reason = Sentence(
                "valeur « {value} » refusée ({text})", {"value": str(item["input"])[:60], "text": item["msg"]}
            )
            listed.append((path, reason, gettext_noop("corrigez ce réglage"), {}))
    return listed


def _examples(check: _Check) -> tuple[Example, ...]:
    listed = check.table.get("example", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        check.refuse("example", "{key} n’est pas une liste de tables", "commencez chaque exemple par [[example]]")
        return ()
    examples = []
    for number, item in enumerate(listed, start=1):
        wrong = [key for key in EXAMPLE_KEYS if not isinstance(item.get(key), dict)] or [
            key for key in item if key not in EXAMPLE_KEYS
        ]
        if wrong:
            check.refuse(
                "example",
                "exemple {number} : {wrong} absent, inconnu ou mal formé",
                "un exemple a deux tables : when = {{ … }} et then = {{ … }}",
                number=number,
                wrong=wrong[0],
            )
            continue
        examples.append(Example(number, item["when"], item["then"]))
    return tuple(examples)


def _readiness(check: _Check, state: State, engine_name: str, examples: tuple[Example, ...]) -> None:
    """Refuse a use case shown to people whose engine is not there, or that nothing proves."""
    if state is State.DRAFT:
        return
    known = engine_named(engine_name)
    if known is None or not known.registered:
        check.refuse(
            "engine",
            "le moteur « {engine} » n’est pas encore installé, l’usage ne peut pas être « {state} »",
            'laissez state = "draft"',
            engine=engine_name,
            state=state.value,
        )
    elif not examples:
        check.refuse(
            "state",
            "un usage « {state} » doit porter au moins un exemple",
            'ajoutez une table [[example]], ou laissez state = "draft"',
            state=state.value,
        )
    elif known.example_runner is None:
        check.refuse(
            "example",
            "le moteur « {engine} » ne sait pas exécuter d’exemple",
            'laissez state = "draft" en attendant',
            engine=engine_name,
        )
