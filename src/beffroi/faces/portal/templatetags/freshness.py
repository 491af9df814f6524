"""How late data are, in templates: what a reader of a map or of a list must know of what she reads."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import ngettext

from beffroi.lake.quality import days_late

register = template.Library()


@register.simple_tag
def late_words(one: Any) -> str:
    """Tell that a dataset (its `rhythm`, its `updated_at`) is late and by how much; nothing when it is in time."""
    days = days_late(one.rhythm, one.updated_at.date(), today=timezone.localdate())
    if not days:
        return ""
    said = ngettext("en retard d’un jour sur son rythme", "en retard de {n} jours sur son rythme", days)
    return format_html(" <strong>({})</strong>", said.format(n=days))
