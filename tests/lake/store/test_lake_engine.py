"""The lake's engines run the examples that use cases carry, and refuse settings they cannot serve."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from beffroi.base.catalogue.definition import Example
from beffroi.base.catalogue.engine import engines
from beffroi.lake.engine import Settings, run_example

SOURCE = "id;espece;lon;lat\n1;Platane;3.88;43.61\n2;Tilleul;3.89;43.62\n"


def _outcome(**when: Any) -> Any:
    return run_example(None, Example(1, {"dataset": "essai", "source": SOURCE} | when, {}))  # type: ignore[arg-type]


def test_an_example_is_imported_and_seen_by_its_reader() -> None:
    outcome = _outcome()
    assert (outcome["status"], outcome["rows"]) == ("published", 2)
    assert outcome["columns"] == ["id", "espece", "lon", "lat"]
    assert '"type":"Point"' in outcome["first"]


def test_an_example_that_cannot_be_read_says_why() -> None:
    outcome = _outcome(source="%PDF-1.4")
    assert outcome["status"] == "refused"
    assert "PDF" in outcome["reason"]


@pytest.mark.parametrize("table", [{}, {"datasets": []}, {"datasets": ["Arbres !"]}, {"datasets": ["a"], "autre": 1}])
def test_settings_that_name_no_dataset_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(table)


def test_both_engines_are_registered() -> None:
    assert engines()["layers"].registered
    assert engines()["datasets"].registered
