"""Addresses of reports, within the back office."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice.reports import counter, field, figures, obstacles, orders, queue, sheet, templates, visits

urlpatterns = [
    path("signalements/", queue.reports, name="reports"),
    path("signalements/suivant/", queue.next_report, name="reports-next"),
    path("signalements/lot/", queue.reports_at_once, name="reports-at-once"),
    path("signalements/filtre/", queue.keep_filter, name="reports-filter"),
    path("signalements/carte.geojson", queue.reports_geojson, name="reports-geojson"),
    path("signalements/chiffres/", figures.figures, name="figures"),
    path("signalements/reponses/", templates.templates, name="templates"),
    path("signalements/obstacles/", obstacles.obstacles, name="obstacles"),
    path("signalements/<str:number>/", sheet.report, name="report"),
    path("signalements/<str:number>/<slug:name>/", sheet.act, name="report-act"),
    path("interventions/", orders.work_orders, name="orders"),
    path("interventions/nouvelle/", orders.new_order, name="order-new"),
    path("interventions/<int:order_id>/", orders.work_order, name="order"),
    path("interventions/<int:order_id>/envoi/", field.receive_order, name="order-receive"),
    path("tournee/", field.round_of_the_day, name="round"),
    path("passages/<int:visit_id>/envoi/", field.receive_visit, name="visit-receive"),
    path("passages/<int:visit_id>/photo/", visits.photo, name="visit-photo"),
    path("passages/", visits.visits_page, name="visits"),
    path("passages/contrat/", visits.new_contract, name="contract-new"),
    path("passages/<int:visit_id>/constat/", visits.prove, name="visit-prove"),
    path("passages/contrat/<int:contract_id>/<str:month>/", visits.statement, name="statement"),
    path("accueil/", counter.counter, name="counter"),
]
