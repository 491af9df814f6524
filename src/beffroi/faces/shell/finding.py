"""Where a thing found leads, and how an address is written: the same on every face."""

from __future__ import annotations

from django.urls import reverse

from beffroi.sense.places.queries import Entry, Hit, Kind

STREET_ZOOM, HOUSE_ZOOM = 16, 18
# Their rows are the thing's own sheet; a street is better shown where it is.
_WITH_SHEET = frozenset({Kind.PLACE, Kind.EVENT, Kind.ORGANISATION, Kind.DOCUMENT})


def map_url(lon: float | None, lat: float | None, *, zoom: int = HOUSE_ZOOM, layer: str = "") -> str:
    """Return the address of the map looking at a place, empty when it is nowhere; `layer` is put on."""
    if lon is None or lat is None:
        return ""
    shown = f"&couches={layer}" if layer else ""
    return f"{reverse('portal:map')}#z={zoom}.00&lat={lat:.5f}&lon={lon:.5f}{shown}"


def page_url(hit: Hit) -> str:
    """Return the page that tells of a thing found; the map for a street or an address."""
    entry = hit.entry
    if entry.kind is Kind.SERVICE:
        return reverse("portal:service", args=[entry.id])
    if entry.kind is Kind.STREET or entry.ref is None:
        return map_url(hit.lon, hit.lat, zoom=HOUSE_ZOOM if hit.house else STREET_ZOOM)
    if entry.kind in _WITH_SHEET:
        return reverse("portal:sheet", args=[entry.ref.territory, entry.ref.slug, entry.id])
    return reverse("portal:dataset", args=[entry.ref.territory, entry.ref.slug])


def layer_url(entry: Entry) -> str:
    """Return the address of the map with the thing's dataset on, looking at it; empty when it is nowhere."""
    return map_url(entry.lon, entry.lat, layer=entry.ref.slug if entry.ref else "")


def postal_label(hit: Hit) -> str:
    """Return an address on one line, as the national address base writes it.

    « 12 bis Rue du Lavoir 00100 Valbruyère-sur-Onde »
    """
    return " ".join(part for part in (hit.title, postcode(hit), hit.entry.city) if part)


def postcode(hit: Hit) -> str:
    """Return the postcode of an address, of its street when the house does not say it."""
    return (hit.house.postcode if hit.house else "") or hit.entry.postcode
