"""Addresses of the residents' portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from beffroi.faces.portal import (
    application,
    cameras,
    charging,
    coverage,
    cycle_gaps,
    directions,
    first_needs,
    journeys,
    obstacles,
    own_requests,
    privacy,
    rules,
    rush,
    works,
)
from beffroi.faces.portal.alerts import urls as alerts
from beffroi.faces.portal.bills import pages as bills
from beffroi.faces.portal.bookings import urls as bookings
from beffroi.faces.portal.crossing import urls as crossing
from beffroi.faces.portal.daily import pages as daily
from beffroi.faces.portal.directories import claiming, proposing
from beffroi.faces.portal.directories import pages as directories
from beffroi.faces.portal.flows import pages as flows
from beffroi.faces.portal.freight import pages as freight
from beffroi.faces.portal.indicators import pages as indicators
from beffroi.faces.portal.leaks import pages as leaks
from beffroi.faces.portal.lighting import pages as lighting
from beffroi.faces.portal.live import pages as live
from beffroi.faces.portal.offers import pages as offers
from beffroi.faces.portal.owners import pages as owners
from beffroi.faces.portal.premises import pages as premises
from beffroi.faces.portal.procedures import urls as procedures
from beffroi.faces.portal.reports import urls as reports
from beffroi.faces.portal.slots import urls as slots
from beffroi.faces.portal.trade import pages as trade
from beffroi.faces.portal.transit import urls as transit
from beffroi.faces.portal.underground import pages as underground
from beffroi.faces.portal.unfit import pages as unfit
from beffroi.faces.portal.views import (
    counted,
    datasets,
    differences,
    editing,
    energy,
    floods,
    home,
    itinerary,
    life,
    maps,
    painting,
    places,
    services,
    synthesis,
    threeviews,
    twin,
    urgences,
)

app_name = "portal"

_DATASET = "donnees/<slug:territory>/<slug:slug>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("recherche/", home.search, name="search"),
    path("autour/", home.around, name="around"),
    path("urgences/", urgences.urgences, name="urgences"),
    path("vues/", threeviews.views, name="views"),
    path("vues/habitant/", threeviews.resident, name="view-resident"),
    path("vues/technicien/", threeviews.technician, name="view-technician"),
    path("vues/elu/", threeviews.official, name="view-official"),
    path("services/", services.services, name="services"),
    path("services/<slug:use_case>/", services.service, name="service"),
    path("services/<slug:use_case>/comptes.geojson", counted.counts_geojson, name="counts-geojson"),
    path("services/<slug:use_case>/points.geojson", counted.points_geojson, name="counts-points"),
    path("donnees/", datasets.datasets, name="datasets"),
    path(_DATASET, datasets.overview, name="dataset"),
    path(f"{_DATASET}tableau/", datasets.table, name="dataset-table"),
    path(f"{_DATASET}schema/", datasets.schema, name="dataset-schema"),
    path(f"{_DATASET}historique/", datasets.history, name="dataset-history"),
    path(f"{_DATASET}differences/", differences.differences, name="dataset-differences"),
    path(f"{_DATASET}rapport/", datasets.report, name="dataset-report"),
    path(f"{_DATASET}telecharger/", datasets.downloads, name="dataset-downloads"),
    path(f"{_DATASET}telecharger/<slug:format>", datasets.download, name="dataset-download"),
    path(f"{_DATASET}fiche/<str:feature_id>/", maps.sheet, name="sheet"),
    path(f"{_DATASET}fiche/<str:feature_id>/retoucher/", editing.edit_thing, name="edit-thing"),
    path(f"{_DATASET}ajouter/", editing.edit_thing, name="add-thing"),
    path(f"{_DATASET}annuler/", editing.undo_edit, name="undo-edit"),
    path("carte/", maps.town_map, name="map"),
    path("carte/liste/", maps.town_list, name="map-list"),
    path("carte/quartiers/", synthesis.synthesis_page, name="synthesis"),
    path("carte/quartiers.geojson", synthesis.synthesis_geojson, name="synthesis-geojson"),
    path("carte/batiments/", painting.painted_buildings, name="painting"),
    path("carte/integrer/", maps.embedded_map, name="map-embedded"),
    path("carte/ici/", places.here, name="here"),
    path("carte/proches/", places.near, name="near"),
    path("maquette/", twin.model, name="twin"),
    path("maquette/<slug:use_case>/", twin.door, name="twin-for"),
    path("batiments/", life.buildings, name="buildings"),
    path("batiments/<slug:territory>/<slug:slug>/<str:feature_id>/", life.building, name="building"),
    path("batiments/<slug:territory>/<slug:slug>/<str:feature_id>/vie.csv", life.building_csv, name="building-csv"),
    path("batiments/<slug:territory>/<slug:slug>/<str:feature_id>/energie/", energy.building, name="building-energy"),
    path("inondation/<slug:kind>/<slug:scenario>/", floods.flooded, name="flooded"),
    path("itineraire/", itinerary.itinerary, name="itinerary"),
    path("itineraire/<slug:use_case>/", itinerary.itinerary, name="itinerary-for"),
    path("trajets/", journeys.journeys, name="journeys"),
    path("trajets/coupures-cyclables/", cycle_gaps.cycle_gaps_page, name="cycle-gaps"),
    path("trajets/coupures-cyclables/carte.geojson", cycle_gaps.cycle_gaps_geojson, name="cycle-gaps-geojson"),
    path("trajets/<slug:use_case>/", journeys.journeys, name="journeys-for"),
    path("heures/<slug:use_case>/", rush.hours, name="hours-for"),
    path("heures/<slug:use_case>/employeurs/", rush.employers, name="hours-employers"),
    path("acces/", coverage.coverage, name="coverage"),
    path("acces/quartiers.geojson", coverage.coverage_geojson, name="coverage-geojson"),
    path("acces/<slug:use_case>/", coverage.coverage, name="coverage-for"),
    path("itineraire/<int:rank>.gpx", itinerary.gpx, name="itinerary-gpx"),
    *application.urlpatterns,
    *own_requests.urlpatterns,
    *alerts.urlpatterns,
    *bookings.urlpatterns,
    *slots.urlpatterns,
    *proposing.urlpatterns,
    *claiming.urlpatterns,
    *directories.urlpatterns,
    *daily.urlpatterns,
    *first_needs.urlpatterns,
    *offers.urlpatterns,
    *bills.urlpatterns,
    # Before those kept by agents: « 2-13 » is a use case.
    *indicators.urlpatterns,
    *crossing.urlpatterns,
    *cameras.urlpatterns,
    *charging.urlpatterns,
    *flows.urlpatterns,
    *freight.urlpatterns,
    *leaks.urlpatterns,
    *lighting.urlpatterns,
    *live.urlpatterns,
    *trade.urlpatterns,
    *underground.urlpatterns,
    *premises.urlpatterns,
    *owners.urlpatterns,
    *unfit.urlpatterns,
    *reports.urlpatterns,
    *procedures.urlpatterns,
    *transit.urlpatterns,
    path("sens-de-circulation/", directions.directions, name="directions"),
    path("sens-de-circulation/<int:works_id>/", directions.direction, name="direction"),
    path("travaux/", works.works, name="works"),
    path("travaux/flux.atom", works.works_feed, name="works-feed"),
    path("travaux/<int:works_id>/", works.works_one, name="works-one"),
    path("obstacles/", obstacles.obstacles, name="obstacles"),
    path("obstacles/carte.geojson", obstacles.obstacles_geojson, name="obstacles-geojson"),
    *privacy.urlpatterns,
    *rules.urlpatterns,
]
