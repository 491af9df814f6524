"""`/api/datasets/…/features`, to correct: one thing added, changed or removed, on every map at once."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Path, Schema
from pydantic import ConfigDict, Field

from beffroi.base.kernel.time import now
from beffroi.base.territory.engine import DATA_WRITE
from beffroi.base.territory.viewer import Role
from beffroi.faces.api.datasets import Code, Slug, router
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import operations
from beffroi.lake.edits import ADDED, CHANGED, REMOVED, Edit
from beffroi.lake.queries import DatasetRef

FeatureId = Annotated[str, Path(max_length=200, description="Identifiant de l’objet", examples=["12"])]


class FeatureIn(Schema):
    """What becomes of one thing: GeoJSON, of which what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(pattern="^Feature$")] = "Feature"
    properties: dict[str, Any] = Field(default_factory=dict, description="Valeurs par clé de colonne")
    geometry: dict[str, Any] | None = Field(None, description="Géométrie GeoJSON, en longitude et latitude")


class FeatureMade(Schema):
    """The thing corrected."""

    id: str


def _edited(request: Request, territory: str, slug: str, edit: Edit) -> dict[str, Any]:
    return {"id": operations.edit_feature(request.viewer, DatasetRef(territory, slug), edit, at=now())}


@router.post(
    "/datasets/{territory}/{slug}/features", response=FeatureMade, summary="Ajouter un objet, visible aussitôt"
)
@open_to(Role.AGENT, Role.ADMINISTRATOR, scope=DATA_WRITE)
def add_feature(request: Request, territory: Code, slug: Slug, payload: FeatureIn) -> dict[str, Any]:
    """Ajoute un objet par-dessus la version en vigueur ; la version suivante le contiendra."""
    return _edited(request, territory, slug, Edit(ADDED, None, payload.properties, payload.geometry))


@router.patch(
    "/datasets/{territory}/{slug}/features/{feature_id}",
    response=FeatureMade,
    summary="Corriger un objet, visible aussitôt",
)
@open_to(Role.AGENT, Role.ADMINISTRATOR, scope=DATA_WRITE)
def change_feature(
    request: Request, territory: Code, slug: Slug, feature_id: FeatureId, payload: FeatureIn
) -> dict[str, Any]:
    """Change les valeurs données, et la forme si elle l’est ; le reste ne bouge pas."""
    return _edited(request, territory, slug, Edit(CHANGED, feature_id, payload.properties, payload.geometry))


@router.delete(
    "/datasets/{territory}/{slug}/features/{feature_id}", response=FeatureMade, summary="Retirer un objet, aussitôt"
)
@open_to(Role.AGENT, Role.ADMINISTRATOR, scope=DATA_WRITE)
def remove_feature(request: Request, territory: Code, slug: Slug, feature_id: FeatureId) -> dict[str, Any]:
    """Retire un objet des cartes et des réponses ; les versions passées le gardent."""
    return _edited(request, territory, slug, Edit(REMOVED, feature_id, {}))
