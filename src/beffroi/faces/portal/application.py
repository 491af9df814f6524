"""The commune in one's pocket: install it, what opens without network, be notified on a device, be counted or not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.queries import audience_of
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import row_key
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import script_answer, told
from beffroi.serve.alerts.audience import TOPIC as WARNINGS
from beffroi.serve.alerts.following import follower
from beffroi.serve.alerts.operations import device_for_warnings
from beffroi.serve.cases import operations, queries
from beffroi.serve.cases.push import devices
from beffroi.serve.cases.push.devices import DeviceInfo, DeviceNotFound, Subscription, WishInfo
from beffroi.serve.reports.operations import device_for_alerts
from beffroi.serve.reports.subscriptions import ALERTS, SubscriptionNotFound, reader

USE_CASE = "6-01"


@open_to(EVERYONE)
@require_safe
def application(request: HttpRequest) -> HttpResponse:
    """Show how the application is installed, what it does without network, and what this device is told of.

    `?suivi=` is the follow-up token of a request made without account, `?abonne=` that of who subscribed to places or
    categories: this device may be told of that one, of the alerts of those.
    """
    request = cast(Request, request)
    token, followed = request.GET.get("suivi", ""), ""
    if token:
        with suppress(BeffroiError):
            followed = queries.followed_case(token)[1].number
    subscriber = request.GET.get("abonne", "")
    if subscriber and not _opens(subscriber):
        subscriber = ""
    code = territory_of(request)
    if code:
        catalogue.count_use(USE_CASE, code, timezone.now(), audience=audience_of(request.viewer, code))
    context = {
        "key": devices.application_key(),
        "token": token if followed else "",
        "followed": followed,
        "subscriber": subscriber,
        # By its words a page knows what this device hears already.
        "heard": followed or (alerts_label() if subscriber else ""),
    }
    response = render(request, "portal/application.html", context)
    if token or subscriber:
        response.headers["Cache-Control"] = "no-store"
    return response


def _opens(token: str) -> bool:
    """Tell whether a token is that of one who subscribed: to places and categories, or to alerts."""
    for opened in (reader, follower):
        with suppress(BeffroiError):
            opened(token)
            return True
    return False


def _subscription(request: HttpRequest) -> Subscription:
    return Subscription(*(request.POST.get(name, "") for name in ("endpoint", "p256dh", "auth")))


def _said(info: DeviceInfo | None) -> JsonResponse:
    """Answer what a device hears of, in words, each with the number by which it ends."""
    wishes = info.wishes if info else ()
    return script_answer({"wishes": [{"id": one.id, "label": _label(one)} for one in wishes]})


def alerts_label() -> str:
    """Return what a device hears of that is told of the alerts of one's subscriptions."""
    return _("Les alertes de vos abonnements")


def _label(one: WishInfo) -> str:
    if one.topic.partition("-")[0] in (ALERTS, WARNINGS):
        return alerts_label()
    return _("La demande {number}").format(number=one.number) if one.number else _("Toutes vos demandes")


def _device_of(token: str, request: HttpRequest, asked: dict[str, Any]) -> DeviceInfo:
    """Have this device told of what the holder of a token subscribed to, in the room that gave it."""
    try:
        return device_for_alerts(token=token, device=_subscription(request), **asked)
    except SubscriptionNotFound:
        return device_for_warnings(token=token, device=_subscription(request), **asked)


@open_to(EVERYONE)
@require_POST
def subscribe(request: HttpRequest) -> JsonResponse:
    """Have this device told of one request (`token`), of the alerts of a subscriber (`abonne`), or of all those of the
    person signed in."""
    request = cast(Request, request)
    asked: dict[str, Any] = {"viewer": request.viewer, "language": get_language(), "at": timezone.now()}
    try:
        if subscriber := request.POST.get("abonne", ""):
            info = _device_of(subscriber, request, asked)
        else:
            info = operations.subscribe_device(
                territory=territory_of(request),
                subscription=_subscription(request),
                token=request.POST.get("token", ""),
                **asked,
            )
    except BeffroiError as error:
        return script_answer(told(error), error.http_status)
    return _said(info)


@open_to(EVERYONE)
@require_POST
def state(request: HttpRequest) -> JsonResponse:
    """Tell a device what it hears of; its address, which nobody else knows, says which it is."""
    try:
        return _said(devices.device(request.POST.get("endpoint", "")))
    except DeviceNotFound:
        return _said(None)


@open_to(EVERYONE)
@require_POST
def end(request: HttpRequest) -> JsonResponse:
    """Have a device told no more of one thing (`wish`), or of anything; done already, it is done."""
    endpoint, wish = request.POST.get("endpoint", ""), row_key(request.POST.get("wish", ""))
    try:
        if wish:
            return _said(operations.end_wish(endpoint, wish, at=timezone.now()))
        operations.end_device(endpoint, at=timezone.now())
    except DeviceNotFound:
        pass
    return _said(None)


# The browser renews a subscription by itself, with every page closed: it shows the former address, which is a secret.
@csrf_exempt
@open_to(EVERYONE)
@require_POST
def renew(request: HttpRequest) -> JsonResponse:
    """Write from now on to the address that a relay gave in place of the former one (`old`)."""
    try:
        operations.renew_device(request.POST.get("old", ""), _subscription(request), at=timezone.now())
    except BeffroiError as error:
        return script_answer(told(error), error.http_status)
    return script_answer({})


urlpatterns = [
    path("application/", application, name="application"),
    path("application/appareil/", subscribe, name="push-subscribe"),
    path("application/appareil/etat/", state, name="push-state"),
    path("application/appareil/fin/", end, name="push-end"),
    path("application/appareil/suite/", renew, name="push-renew"),
]
