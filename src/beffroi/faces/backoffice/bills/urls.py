"""Addresses of the bills."""

from __future__ import annotations

from django.urls import URLPattern, path

from beffroi.faces.backoffice.bills import families, money, months

urlpatterns: list[URLPattern] = [
    path("factures/", months.bills, name="bills"),
    path("factures/unites/", months.units, name="bills-units"),
    path("factures/impayees/", money.unpaid, name="bills-unpaid"),
    path("factures/remboursements/", money.refunds, name="bills-refunds"),
    path("factures/rapprochement/", money.bank, name="bills-bank"),
    path("factures/familles/", families.families, name="bills-families"),
    path("factures/familles/<int:number>/", families.family, name="bills-family"),
    path("factures/regie/<slug:slug>/", money.register, name="bills-register"),
    path("factures/mois/<str:month>/", months.month, name="bills-month"),
    path("factures/mois/<str:month>/emettre/", months.issue, name="bills-issue"),
    path("factures/grand-livre-<int:year>.csv", money.ledger, name="bills-ledger"),
    path("factures/<int:number>/", money.bill, name="bills-bill"),
]
