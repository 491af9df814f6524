"""What the town holds about a person, and the register of what it holds about people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from beffroi.base.clock import queries as clock
from beffroi.base.clock.deadlines import Deadline
from beffroi.base.kernel.personal import Fate, Purpose
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.privacy.operations import PersonNotFound
from beffroi.base.privacy.registry import declarations
from beffroi.base.privacy.rows import export_rows

LEGAL_BASES: dict[str, Sentence] = {
    "consent": Sentence(gettext_noop("consentement (RGPD, art. 6-1 a)")),
    "contract": Sentence(gettext_noop("contrat (RGPD, art. 6-1 b)")),
    "obligation": Sentence(gettext_noop("obligation légale (RGPD, art. 6-1 c)")),
    "vital": Sentence(gettext_noop("sauvegarde d'intérêts vitaux (RGPD, art. 6-1 d)")),
    "public-task": Sentence(gettext_noop("mission d'intérêt public (RGPD, art. 6-1 e)")),
    "legitimate-interest": Sentence(gettext_noop("intérêt légitime (RGPD, art. 6-1 f)")),
}
FATES: dict[Fate, Sentence] = {
    Fate.DELETE: Sentence(gettext_noop("supprimées")),
    Fate.ANONYMISE: Sentence(gettext_noop("rendues anonymes")),
    Fate.KEEP: Sentence(gettext_noop("gardées")),
}
_DURATIONS = {
    (Fate.DELETE, "day"): gettext_noop("{amount} jours, puis elles sont supprimées"),
    (Fate.DELETE, "month"): gettext_noop("{amount} mois, puis elles sont supprimées"),
    (Fate.DELETE, "year"): gettext_noop("{amount} ans, puis elles sont supprimées"),
    (Fate.ANONYMISE, "day"): gettext_noop("{amount} jours, puis elles sont rendues anonymes"),
    (Fate.ANONYMISE, "month"): gettext_noop("{amount} mois, puis elles sont rendues anonymes"),
    (Fate.ANONYMISE, "year"): gettext_noop("{amount} ans, puis elles sont rendues anonymes"),
}
_AT_ONCE = gettext_noop("jusqu'à leur expiration, puis elles sont supprimées")


@dataclass(frozen=True, slots=True)
class ExportPart:
    """What one processing holds about a person: its purpose, its fields in order, its rows."""

    label: str
    purpose: str
    fields: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PersonalExport:
    """Everything declared about one person."""

    person_id: int
    made_at: datetime
    parts: tuple[ExportPart, ...]

    def as_json(self) -> str:
        """Return the export in a structured, commonly used, machine-readable format (RGPD art. 20)."""
        content = {
            "person": self.person_id,
            "made_at": self.made_at,
            "data": {part.label: {"purpose": part.purpose, "rows": part.rows} for part in self.parts},
        }
        return json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One processing, as the public register tells it (RGPD art. 30)."""

    label: str
    purpose: str
    legal_basis: Sentence
    article: str
    categories: tuple[str, ...]
    recipients: tuple[str, ...]
    retention: Sentence
    on_erasure: Sentence
    kept_because: str


def personal_export(person_id: int, *, at: datetime) -> PersonalExport:
    """Return everything the town holds about a person, by processing; empty processings are left out.

    Raises:
        PersonNotFound: no such account.

    Source: RGPD art. 15 and 20.
    """
    if not apps.get_model(settings.AUTH_USER_MODEL)._default_manager.filter(pk=person_id).exists():
        raise PersonNotFound("aucun compte n° {person}", remedy="vérifiez le numéro", person=person_id)
    parts = []
    for declaration in declarations():
        rows = export_rows(declaration, person_id)
        if rows:
            fields = tuple(dict.fromkeys(name for row in rows for name in row))
            parts.append(ExportPart(declaration.label, declaration.purpose.purpose, fields, tuple(rows)))
    return PersonalExport(person_id, at, tuple(parts))


def register() -> list[RegisterEntry]:
    """Return the register of processings, made from the declarations of the models, by purpose."""
    entries = [_entry(declaration.label, declaration.purpose) for declaration in declarations()]
    return sorted(entries, key=lambda entry: (entry.purpose, entry.label))


def _entry(label: str, purpose: Purpose) -> RegisterEntry:
    return RegisterEntry(
        label=label,
        purpose=purpose.purpose,
        legal_basis=LEGAL_BASES[purpose.legal_basis],
        article=purpose.article,
        categories=purpose.categories,
        recipients=purpose.recipients,
        retention=retention_sentence(purpose),
        on_erasure=FATES[purpose.on_erasure],
        kept_because=purpose.kept_because,
    )


def retention_sentence(purpose: Purpose) -> Sentence:
    """Return how long the data lives, in a French sentence.

    >>> from beffroi.base.kernel.personal import Retention
    >>> lasting = Retention(amount=24, unit="month", start=("created_at",))
    >>> str(retention_sentence(Purpose(purpose="x", legal_basis="consent", person=(), retention=lasting)))
    '24 mois, puis elles sont supprimées'
    """
    retention = purpose.retention
    if not retention.start:
        return Sentence(retention.until)
    if not retention.amount:
        return Sentence(_AT_ONCE)
    amount, unit = retention.amount, retention.unit
    if unit == "year" and amount == 1:
        amount, unit = 12, "month"
    return Sentence(_DURATIONS[retention.fate, unit], {"amount": amount})


def answer_limit(received: date, *, insee: str = "", extended: bool = False) -> Deadline:
    """Return by when the town must answer a request about personal data received on `received`.

    Source: RGPD art. 12-3 (`rules/donnees-personnelles/rgpd.toml`).
    """
    extensions = ["rgpd.prolongation"] if extended else []
    return clock.due_date("rgpd.reponse", received, region_id=clock.region_of(insee).id, extensions=extensions)
