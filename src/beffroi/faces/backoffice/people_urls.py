"""Addresses of the pages about people and rights; included under `/agent/personnes/`."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice import people

urlpatterns = [
    path("", people.people, name="people"),
    path("inviter/", people.invite, name="invite"),
    path("<int:person_id>/", people.rights, name="person"),
    path("<int:person_id>/fermer/", people.close_account, name="close-account"),
    path("<int:person_id>/second-facteur/", people.reset_second_factor, name="reset-second-factor"),
    path("services/", people.add_service, name="add-service"),
    path("cles/", people.add_key, name="add-key"),
    path("cles/<int:key_id>/fermer/", people.revoke_key, name="revoke-key"),
]
