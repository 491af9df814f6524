"""The shapes of the API's answers about data; documented in OpenAPI from here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field


class Links(Schema):
    """Where to go from a dataset."""

    page: str = Field(description="Page du portail")
    self: str
    rows: str
    features: str | None = Field(description="null sans géométrie")
    downloads: dict[str, str] = Field(description="Adresse par format")


class DatasetOut(Schema):
    """One line of the list of datasets."""

    id: str = Field(examples=["34172/arbres"])
    territory: str
    slug: str
    title: str
    theme: str
    description: str
    producer: str
    licence: str
    rhythm: str
    rows: int = Field(ge=0)
    geometry_type: str | None = Field(description="Type GeoJSON ; Geometry si mélangés ; null pour un tableau")
    bbox: list[float] | None = Field(description="ouest, sud, est, nord, en degrés (OGC:CRS84)")
    version: str
    updated_at: datetime
    period: tuple[str, str] | None = Field(description="Premier et dernier jour couverts (ISO 8601)")
    access: str = Field(description="public, agents ou service:<nom>", examples=["public"])
    fictional: bool = Field(description="Données d’une ville fictive")
    links: Links


class DatasetList(Schema):
    """A page of the list of datasets."""

    total: int
    datasets: list[DatasetOut]
    next: str | None = Field(description="Adresse de la page suivante")


class ColumnOut(Schema):
    """A column the reader may read."""

    key: str
    title: str = Field(description="Titre écrit par le producteur")
    type: str = Field(examples=["number"])
    unit: str | None
    description: str


class SourceOut(Schema):
    """The file a version was made from."""

    name: str
    format: str
    size_bytes: int
    url: str


class EvidenceOut(Schema):
    """Something the file did not say and that was found out."""

    subject: str = Field(examples=["encoding"])
    value: str
    why: str


class DatasetDetailOut(DatasetOut):
    """A dataset and how it was read."""

    columns: list[ColumnOut]
    crs: str | None = Field(description="Système de coordonnées de la source")
    source: SourceOut
    evidences: list[EvidenceOut]
    checked_at: datetime | None = Field(description="Dernière comparaison avec la source")


class VersionOut(Schema):
    """One version."""

    version: str
    created_at: datetime
    rows: int
    rows_rejected: int
    period: tuple[str, str] | None
    is_current: bool
    source: SourceOut


class VersionList(Schema):
    """The history of a dataset."""

    versions: list[VersionOut]


class RejectOut(Schema):
    """A row that was not kept."""

    line: int | None
    reason: str
    excerpt: str


class ReportOut(Schema):
    """What an import read, kept and refused."""

    rows_read: int
    rows_kept: int
    rows_rejected: int
    rejected_by_reason: dict[str, int]
    rejects: list[RejectOut]
    warnings: list[str]
    corrections: list[str]
    crs: str | None
    geometry_types: list[str]
    licence: str
    period: tuple[str, str] | None


class RowOut(Schema):
    """One row: its identifier and its values by column key."""

    id: str
    values: dict[str, Any]


class RowPage(Schema):
    """A page of a table."""

    total: int
    columns: list[ColumnOut]
    rows: list[RowOut]
    next: str | None = Field(description="Adresse de la page suivante")
