"""Sentences meant for people, kept as a template and its values so that a face can translate them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def gettext_noop(template: str) -> str:
    """Mark a French template for extraction into the translation catalogues; return it unchanged."""
    return template


@dataclass(frozen=True, slots=True)
class Sentence:
    """Hold a French template (``"colonne « {name} » absente"``) beside the values it names.

    ``str(sentence)`` is the French text. A face that speaks another language translates ``template`` and formats
    it with ``values``.

    >>> str(Sentence("colonne « {name} » absente", {"name": "insee"}))
    'colonne « insee » absente'
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.values) if self.values else self.template

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form, read back by :meth:`from_json`."""
        return {"template": self.template, "values": {key: _plain(value) for key, value in self.values.items()}}

    @classmethod
    def from_json(cls, payload: Mapping[str, Any]) -> Sentence:
        """Rebuild the sentence written by :meth:`as_json`."""
        return cls(payload["template"], dict(payload.get("values", {})))


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
