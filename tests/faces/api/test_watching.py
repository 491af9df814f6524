"""`/health` and `/metrics` tell machines how things stand, and name nobody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("town")]


def test_a_healthy_house(client: Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["registry"]) == (200, "ok", True)


def test_a_registry_that_does_not_answer_is_ill(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["registry"]) == (503, "ill", False)


def test_a_data_folder_gone_is_ill(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "gone"
    assert client.get("/health").status_code == 503


def test_metrics_are_well_formed(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+', line) for line in samples)
    values = dict(line.rsplit(" ", 1) for line in samples)
    # The dataset of agents is not counted: anyone reads this.
    assert values["beffroi_datasets"] == "1"
    assert int(values['beffroi_use_cases{state="live"}']) >= 3
    assert values["beffroi_registry_up"] == "1"
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
