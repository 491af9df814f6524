"""No model holds something about a person without saying why, until when, and what becomes of it."""

from __future__ import annotations

import pytest
from django.db import models

from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.base.privacy import registry


def test_every_model_that_looks_personal_declares_a_processing():
    assert registry.undeclared_models() == {}, (
        "declare `privacy = Purpose(…)` on the model (beffroi.base.kernel.personal), or say in "
        "beffroi/base/privacy/declarations.py why it is not personal"
    )


def test_every_exemption_and_outside_declaration_still_serves():
    assert registry.useless_exemptions() == []


def test_declarations_name_fields_that_exist():
    assert registry.wrong_fields() == []


@pytest.mark.parametrize("declaration", registry.declarations(), ids=lambda declaration: declaration.label)
def test_a_declaration_says_what_is_held_and_until_when(declaration):
    purpose = declaration.purpose
    assert purpose.purpose
    assert purpose.categories
    assert purpose.retention.start or purpose.retention.until


def test_a_model_with_a_personal_field_is_seen():
    class Visitor(models.Model):
        phone = models.CharField(max_length=20)
        colour = models.CharField(max_length=20)

        class Meta:
            app_label = "privacy_test_only"
            managed = False

    assert registry.personal_looking_fields(Visitor) == ["phone"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"on_erasure": Fate.KEEP}, "kept_because"),
        ({"on_erasure": Fate.ANONYMISE}, "erased"),
        ({"retention": Retention(amount=1, start=("at",), fate=Fate.ANONYMISE)}, "erased"),
    ],
)
def test_a_declaration_that_says_half_is_refused(wrong, told):
    fields = {"purpose": "x", "legal_basis": "consent", "person": ("pk",), "retention": Retention(until="toujours")}
    with pytest.raises(ValueError, match=told):
        Purpose(**(fields | wrong))
