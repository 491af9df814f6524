"""Addresses under `/compte/`. Not namespaced: the sign-in library looks its own addresses up by bare names."""

from __future__ import annotations

from django.urls import include, path

from beffroi.faces.portal import accounts, oidc

urlpatterns = [
    path("", accounts.home, name="account_home"),
    path("second-facteur/", accounts.second_factor, name="second_factor"),
    # In place of the library's own, which check less.
    path("oidc/<slug:provider_id>/login/", oidc.login, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", oidc.callback, name="openid_connect_callback"),
    path("logout/", oidc.logout, name="sign_out"),
    path("", include("allauth.account.urls")),
    path("2fa/", include("allauth.mfa.urls")),
    path("3rdparty/", include("allauth.socialaccount.urls")),
]
