"""Who is where: territories, zones, people, and the viewer of a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import shapely
from django.conf import settings
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone

from beffroi.base.kernel.errors import BeffroiError, NotFound, Refused
from beffroi.base.kernel.geo import BBox
from beffroi.base.registry.statements import Question
from beffroi.base.territory.engine import key_prefix, same_secret
from beffroi.base.territory.models import (
    ApiKey,
    Arms,
    Commune,
    Grouping,
    Person,
    RoleGrant,
    ServiceUnit,
    SignInHost,
    Territory,
    Zone,
)
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer


class UnknownTerritory(NotFound):
    """No commune or grouping of this installation has that code."""


class UnknownPerson(NotFound):
    """No such person, or none that the viewer may know of."""


class BadKey(BeffroiError):
    """The API key sent is unknown, revoked or expired; all are told alike."""

    http_status = 401


@dataclass(frozen=True, slots=True)
class CommuneInfo:
    """A territory as faces show it. `kind` is "commune" or "grouping"; `bbox` and `centre` are CRS84 degrees.

    `colour` and `accent` are ``#rrggbb`` or empty; `arms` is the fingerprint of its picture, empty without one;
    `sandbox_of` is the code of the commune whose sandbox it is, empty for a real one.
    """

    code: str
    name: str
    slug: str
    kind: str = "commune"
    timezone: str = "Europe/Paris"
    population: int = 0
    bbox: BBox | None = None
    centre: tuple[float, float] | None = None
    fictional: bool = False
    colour: str = ""
    accent: str = ""
    arms: str = ""
    sandbox_of: str = ""


@dataclass(frozen=True, slots=True)
class ZoneInfo:
    """A polygon of a territory, with its box; `shape` is WKB in CRS84."""

    id: int
    territory: str
    kind: str
    slug: str
    name: str
    bbox: BBox
    shape: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """A service of a territory."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class GrantInfo:
    """A role as the people page shows it."""

    role: Role
    services: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class PersonInfo:
    """A person and the roles held in one territory."""

    id: int
    email: str
    name: str
    is_active: bool
    last_login: datetime | None
    grants: tuple[GrantInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKeyInfo:
    """An API key without its secret."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None


# --- Territories ---------------------------------------------------------------------------------------------------


def _box(row: Territory | Zone) -> BBox | None:
    if row.west is None or row.south is None or row.east is None or row.north is None:
        return None
    return BBox(row.west, row.south, row.east, row.north)


def _info(row: Territory) -> CommuneInfo:
    return CommuneInfo(
        code=row.code,
        name=row.name,
        slug=row.slug,
        kind="commune" if len(row.code) == 5 else "grouping",
        timezone=row.timezone,
        population=row.population,
        bbox=_box(row),
        centre=None if row.lon is None or row.lat is None else (row.lon, row.lat),
        fictional=row.fictional,
        colour=row.colour,
        accent=row.accent,
        arms=row.arms,
        sandbox_of=getattr(row, "real", None) or "",
    )


def communes() -> list[CommuneInfo]:
    """Return every commune, by name; sandboxes are none."""
    rows = Commune.objects.defer("shape_wkb").filter(sandbox_of__isnull=True)
    return [_info(row) for row in rows.order_by("name", "code")]


def sandbox_of(code: str) -> CommuneInfo | None:
    """Return the sandbox of a commune, None until it is first reset."""
    row = Territory.objects.defer("shape_wkb").annotate(real=F("commune__sandbox_of")).filter(real=code).first()
    return None if row is None else _info(row)


def groupings() -> list[CommuneInfo]:
    """Return every grouping, by name."""
    return [_info(row) for row in Grouping.objects.defer("shape_wkb").order_by("name", "code")]


def members(grouping: str) -> list[CommuneInfo]:
    """Return the communes of a grouping, by name."""
    rows = Commune.objects.defer("shape_wkb").filter(groupings__code=grouping)
    return [_info(row) for row in rows.order_by("name", "code")]


def groupings_of(commune: str) -> list[CommuneInfo]:
    """Return the groupings a commune belongs to, by name."""
    rows = Grouping.objects.defer("shape_wkb").filter(members__code=commune)
    return [_info(row) for row in rows.order_by("name", "code")]


def territory(code: str) -> CommuneInfo:
    """Return the commune or grouping called `code`.

    Raises:
        UnknownTerritory: this installation has none.
    """
    row = Territory.objects.defer("shape_wkb").annotate(real=F("commune__sandbox_of")).filter(code=code).first()
    if row is None:
        raise UnknownTerritory(
            "territoire « {code} » inconnu",
            where="territoire",
            remedy="ajoutez-le par « beffroi territory add {code} »",
            code=code[:40],
        )
    return _info(row)


def commune(code: str) -> CommuneInfo:
    """Return the commune whose INSEE code is `code`.

    Raises:
        UnknownTerritory: this installation has none, or `code` is a grouping's.
    """
    found = territory(code)
    if found.kind != "commune":
        raise UnknownTerritory("« {code} » n'est pas une commune", where="commune", code=code)
    return found


def default_commune() -> CommuneInfo | None:
    """Return the territory shown when the domain says nothing: BEFFROI_COMMUNE, else the first added, else None."""
    return commune_of_host("")


_SHOWN = (
    "code", "name", "slug", "timezone", "population", "west", "south", "east", "north", "lon", "lat", "fictional",
    "colour", "accent", "arms",
)  # fmt: skip
# Every request asks: compiled once, it costs a tenth of what the ORM spends at building it.
_OF_HOST = Question(
    lambda host, usual: (
        Territory.objects.filter(commune__sandbox_of__isnull=True)
        .annotate(
            rank=Case(
                When(hosts__domain=host, then=Value(0)),
                When(code=usual, then=Value(1)),
                When(commune__isnull=False, then=Value(2)),
                default=Value(3),
                output_field=IntegerField(),
            )
        )
        .order_by("rank", "added_at", "code")
        .values_list(*_SHOWN)
    )
)


def commune_of_host(host: str) -> CommuneInfo | None:
    """Return the territory that the domain `host` shows, else the default one; in one query."""
    found = _OF_HOST.first(host=host.lower(), usual=settings.DEFAULT_COMMUNE or "")
    return None if found is None else _info(Territory(**dict(zip(_SHOWN, found, strict=True))))


def commune_of_domain(domain: str) -> CommuneInfo | None:
    """Return the territory that the domain `domain` shows, None when it shows none of its own."""
    row = Territory.objects.defer("shape_wkb").filter(hosts__domain=domain.strip().lower()).first()
    return None if row is None else _info(row)


def domain_of(code: str) -> str:
    """Return the domain that shows a territory: its own, else the first the installation serves."""
    own = SignInHost.objects.filter(territory=code).order_by("domain").values_list("domain", flat=True).first()
    return own or next((host for host in settings.ALLOWED_HOSTS if host != "*"), "localhost")


def contour(code: str) -> bytes | None:
    """Return the outline of a territory as WKB (CRS84), None when it is not known."""
    shape = Territory.objects.filter(code=code).values_list("shape_wkb", flat=True).first()
    return None if shape is None else bytes(shape)


def arms(code: str) -> tuple[str, bytes] | None:
    """Return the media type and the bytes of a territory's arms, None when it has none."""
    row = Arms.objects.filter(territory=code).first()
    return None if row is None else (row.media_type, bytes(row.content))


def services(territory: str) -> list[ServiceInfo]:
    """Return the services of a territory, by name."""
    rows = ServiceUnit.objects.filter(territory=territory).order_by("name", "slug")
    return [ServiceInfo(row.slug, row.name) for row in rows]


# --- Zones -----------------------------------------------------------------------------------------------------------


def zones(territory: str, kind: str | None = None, *, bbox: BBox | None = None) -> list[ZoneInfo]:
    """Return the zones of a territory, by kind and name; with `bbox`, those whose box meets it."""
    rows = Zone.objects.filter(territory=territory).order_by("kind", "name", "pk")
    if kind is not None:
        rows = rows.filter(kind=kind)
    if bbox is not None:
        rows = rows.filter(west__lte=bbox.east, east__gte=bbox.west, south__lte=bbox.north, north__gte=bbox.south)
    return [_zone(row) for row in rows]


def zones_at(territory: str, lon: float, lat: float, *, kind: str | None = None) -> list[ZoneInfo]:
    """Return the zones that hold a point (CRS84), edge included: boxes in the database, outlines by Shapely."""
    point = shapely.Point(lon, lat)
    near = zones(territory, kind, bbox=BBox(lon, lat, lon, lat))
    return [zone for zone in near if shapely.from_wkb(zone.shape).covers(point)]


def _zone(row: Zone) -> ZoneInfo:
    box = _box(row)
    assert box is not None  # noqa: S101 - held by the constraint zone_has_shape
    assert row.shape_wkb is not None  # noqa: S101 - held by the same constraint
    return ZoneInfo(row.pk, row.territory_id, row.kind, row.slug, row.name, box, bytes(row.shape_wkb))


# --- People ----------------------------------------------------------------------------------------------------------


def require_administrator(viewer: Viewer, territory: str) -> None:
    """Let administrators of `territory` pass.

    Raises:
        Refused: anyone else, API keys included.
    """
    if viewer.scopes is None and viewer.has(Role.ADMINISTRATOR, territory):
        return
    raise Refused(
        "vous n'administrez pas ce territoire",
        where=territory,
        remedy="demandez à un administrateur de la commune",
    )


def people(viewer: Viewer, territory: str) -> list[PersonInfo]:
    """Return those who hold a role of `territory` other than resident, by name and address.

    Raises:
        Refused: `viewer` does not administer it.
    """
    require_administrator(viewer, territory)
    staff = Person.objects.filter(
        pk__in=RoleGrant.objects.filter(territory=territory).exclude(role=Role.RESIDENT).values("person")
    ).order_by("name", "email")
    return _with_grants(staff, territory)


def person(person_id: int, *, territory: str = "") -> PersonInfo:
    """Return a person by number, with the roles held in `territory`.

    Raises:
        UnknownPerson: there is none.
    """
    found = _with_grants(Person.objects.filter(pk=person_id), territory)
    if not found:
        raise UnknownPerson("personne « {id} » inconnue", where="personne", id=person_id)
    return found[0]


def person_by_email(email: str) -> PersonInfo | None:
    """Return the person who signs in with `email`, if any."""
    found = _with_grants(Person.objects.filter(email=email.strip().lower()), "")
    return found[0] if found else None


def agents_of(territory: str, service: str, *, at: datetime) -> list[PersonInfo]:
    """Return the agents of a service of `territory` at a moment, by name: those who share its work."""
    return _holding(RoleGrant.objects.filter(role=Role.AGENT, services__slug=service), territory, at)


def administrators_of(territory: str, *, at: datetime) -> list[PersonInfo]:
    """Return those who administer `territory` at a moment, by name."""
    return _holding(RoleGrant.objects.filter(role=Role.ADMINISTRATOR), territory, at)


def staff_of(territory: str, *, at: datetime) -> list[PersonInfo]:
    """Return the agents and administrators of `territory` at a moment, by name."""
    return _holding(RoleGrant.objects.filter(role__in=(Role.AGENT, Role.ADMINISTRATOR)), territory, at)


def _holding(grants: QuerySet[RoleGrant], territory: str, at: datetime) -> list[PersonInfo]:
    held = grants.filter(territory=territory, valid_from__lte=at).filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=at)
    )
    rows = Person.objects.filter(pk__in=held.values("person"), is_active=True)
    return _with_grants(rows.order_by("name", "email"), territory)


def _with_grants(rows: Iterable[Person], territory: str) -> list[PersonInfo]:
    persons = list(rows)
    grants: dict[int, list[GrantInfo]] = {}
    held = RoleGrant.objects.filter(territory=territory, person__in=persons).prefetch_related("services")
    for row in held.order_by("role") if territory else ():
        slugs = tuple(sorted(service.slug for service in row.services.all()))
        info = GrantInfo(Role(row.role), slugs, row.valid_from, row.valid_until)
        grants.setdefault(row.person_id, []).append(info)
    return [
        PersonInfo(row.pk, row.email, row.name, row.is_active, row.last_login, tuple(grants.get(row.pk, ())))
        for row in persons
    ]


def api_keys(viewer: Viewer, territory: str) -> list[ApiKeyInfo]:
    """Return the API keys of `territory`, newest first, without their secrets.

    Raises:
        Refused: `viewer` does not administer it.
    """
    require_administrator(viewer, territory)
    rows = ApiKey.objects.filter(territory=territory).order_by("-created_at", "pk")
    return [
        ApiKeyInfo(
            row.pk,
            row.name,
            row.prefix,
            tuple(row.scopes),
            row.created_at,
            row.expires_at,
            row.revoked_at,
            row.last_used_on,
        )
        for row in rows
    ]


# --- The viewer ------------------------------------------------------------------------------------------------------


def viewer_of_person(person_id: int, *, at: datetime) -> Viewer:
    """Return the viewer that a person is at a moment; one query, services included."""
    rows = (
        RoleGrant.objects.filter(person=person_id, person__is_active=True, valid_from__lte=at)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at))
        .order_by("pk")
        .values_list("territory_id", "role", "services__slug")
    )
    held: dict[tuple[str, str], set[str]] = {}
    for code, role, service in rows:
        slugs = held.setdefault((code, role), set())
        if service is not None:
            slugs.add(service)
    return Viewer(person_id, tuple(Grant(code, Role(role), frozenset(slugs)) for (code, role), slugs in held.items()))


def viewer_of_key(key: str, *, at: datetime) -> Viewer:
    """Return the viewer that an API key is: an agent of its territory without services, cut to its scopes.

    One query; a second one, once a day, notes the day of its last use.

    Raises:
        BadKey: unknown, revoked or expired.
    """
    prefix = key_prefix(key)
    row = _KEY.first(prefix=prefix) if prefix else None
    number, code, secret_hash, scopes, expires_at, revoked_at, last_used_on = row or (
        0,
        "",
        "0" * 64,
        (),
        at,
        None,
        None,
    )
    # The comparison runs on a well-formed hash whether or not the key exists: timing tells nothing.
    genuine = same_secret(key, secret_hash)
    if row is None or not genuine or revoked_at is not None or expires_at <= at:
        raise BadKey(
            "clé d'API inconnue, révoquée ou expirée",
            where="Authorization",
            remedy="demandez une nouvelle clé à un administrateur",
        )
    if last_used_on != at.date():
        ApiKey.objects.filter(pk=number).update(last_used_on=at.date())
    return Viewer(None, (Grant(code, Role.AGENT),), frozenset(scopes))


_KEY = Question(
    lambda prefix: (
        ApiKey.objects.filter(prefix=prefix)
        .order_by("pk")
        .values_list("pk", "territory", "secret_hash", "scopes", "expires_at", "revoked_at", "last_used_on")
    )
)


def bearer_of(request: HttpRequest) -> str | None:
    """Return the API key sent as ``Authorization: Bearer``, None when there is none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def viewer_of(request: HttpRequest, *, at: datetime | None = None) -> Viewer:
    """Return the viewer of a request: its API key's, else its session's, else ANONYMOUS.

    Without credentials it touches neither session nor registry. With a session: the person and the roles, two
    queries beside the session's own. `at` defaults to now.

    Raises:
        BadKey: the key sent is not good.
    """
    at = at or timezone.now()
    key = bearer_of(request)
    if key is not None:
        return viewer_of_key(key, at=at)
    if settings.SESSION_COOKIE_NAME not in request.COOKIES and not hasattr(request, "_cached_user"):
        return ANONYMOUS
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or user.pk is None:
        return ANONYMOUS
    return viewer_of_person(int(user.pk), at=at)


def roles_held(viewer: Viewer, roles: Sequence[Role]) -> bool:
    """Tell whether the viewer holds one of `roles` anywhere."""
    return any(grant.role in roles for grant in viewer.grants)
