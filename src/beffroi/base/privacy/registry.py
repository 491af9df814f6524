"""Every declaration of the installation, and the models that lack one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from beffroi.base.kernel.personal import Purpose
from beffroi.base.privacy.declarations import DECLARED, NOT_PERSONAL

PERSONAL_NAME = re.compile(
    r"(^|_)(e?mail|phone|mobile|telephone|first_?name|last_?name|full_?name|surname|birth|born|gender|nir|ip|"
    r"user_?agent|actor|author|applicant|on_behalf_of|person|user|resident|citizen|reporter|iban)(_|$)"
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One model and its purpose. `label` is Django's, such as ``territory.Person``."""

    label: str
    model: type[models.Model]
    purpose: Purpose

    def handler(self, name: str) -> Any:
        """Return the function `name` of the module that handles this model, or None."""
        return getattr(_module(self.purpose.handled_by), name, None) if self.purpose.handled_by else None


@cache
def _module(path: str) -> ModuleType:
    return import_module(path)


def declarations() -> list[Declaration]:
    """Return the declarations of every installed model, in the order of their labels."""
    return sorted((d for model in apps.get_models() if (d := declaration_of(model))), key=lambda d: d.label)


def declaration_of(model: type[models.Model]) -> Declaration | None:
    """Return what a model declares, by its attribute ``privacy`` or in `declarations.DECLARED`."""
    label = model._meta.label
    purpose = model.__dict__.get("privacy", DECLARED.get(label))
    return Declaration(label, model, purpose) if isinstance(purpose, Purpose) else None


def personal_looking_fields(model: type[models.Model]) -> list[str]:
    """Return the fields of a model that hold, by their type, target or name, something about a person."""
    person = apps.get_model(settings.AUTH_USER_MODEL)
    return [
        field.name
        for field in model._meta.local_fields
        if isinstance(field, (models.EmailField, models.GenericIPAddressField))
        or (field.remote_field is not None and field.remote_field.model is person)
        or PERSONAL_NAME.search(field.name)
    ]


def undeclared_models() -> dict[str, list[str]]:
    """Return the models that look personal and declare nothing, with the fields that betray them."""
    return {
        model._meta.label: fields
        for model in apps.get_models(include_auto_created=True)
        if (fields := personal_looking_fields(model))
        and declaration_of(model) is None
        and model._meta.label not in NOT_PERSONAL
    }


def useless_exemptions() -> list[str]:
    """Return the exemptions and outside declarations that no longer serve: their model went, or changed."""
    labels = {model._meta.label: model for model in apps.get_models(include_auto_created=True)}
    exempt = [label for label in NOT_PERSONAL if label not in labels or not personal_looking_fields(labels[label])]
    gone = [label for label in DECLARED if label not in labels or "privacy" in labels[label].__dict__]
    return sorted(exempt + gone)


def wrong_fields() -> list[str]:
    """Return what declarations name and models do not have, as ``label: field``."""
    wrong = []
    for declaration in declarations():
        purpose = declaration.purpose
        named = [
            *purpose.person,
            *purpose.exported,
            *purpose.hidden,
            *purpose.sealed,
            *purpose.erased,
            *purpose.retention.start,
        ]
        wrong += [f"{declaration.label}: {name}" for name in named if not _leads_somewhere(declaration.model, name)]
    return wrong


def _leads_somewhere(model: type[models.Model], path: str) -> bool:
    target: Any = model
    for name in path.split("__"):
        if name == "pk":
            continue
        field = _field(target, name)
        if field is None:
            return False
        target = field.related_model or target
    return True


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return next((field for field in model._meta.concrete_fields if field.attname == name), None)
