"""The questions that files of use cases ask, as fields of a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext

from beffroi.serve.cases.questions import ExtraField


def question_field(question: ExtraField, lines: Sequence[tuple[str, str]] = (), given: str = "") -> forms.Field:
    """Return the field that asks a question; `lines` are those of the town's transport, `given` what was answered."""
    help_text = question.help
    if question.private:
        help_text = " ".join(filter(None, (help_text, gettext("Lu seulement par le service ; jamais publié."))))
    # The label and the help come from the files of the use cases, translated like the rest of them.
    shared: dict[str, Any] = {
        "label": gettext(question.label),
        "help_text": help_text,
        "required": question.required,
    }
    if question.type == "integer":
        return forms.IntegerField(min_value=question.min, max_value=question.max, **shared)
    if question.type == "line" and lines:
        return forms.ChoiceField(choices=_line_choices(lines, given, question.required), **shared)
    if question.type == "choice":
        choices = [(code, gettext(label)) for code, label in question.choices.items()]
        return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **shared)
    if question.type == "date":
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        return forms.DateField(widget=widget, input_formats=["%Y-%m-%d", "%d/%m/%Y"], **shared)
    if question.type == "boolean":
        return forms.BooleanField(**shared)
    return forms.CharField(max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"}), **shared)


def _line_choices(lines: Sequence[tuple[str, str]], given: str, required: bool) -> list[tuple[str, str]]:
    """Return the lines to choose from; one already written that runs no more is kept among them."""
    known = {name for name, _title in lines}
    kept = [(given[:300], given[:300])] if given and given not in known else []
    return [("", "" if required else gettext("Aucune, ou je ne sais pas")), *kept, *lines]
