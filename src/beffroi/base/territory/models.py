"""Communes, groupings, zones, people, roles, keys. Entered by `queries` and `operations` only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Lower
from django.utils.crypto import salted_hmac

from beffroi.base.kernel.time import now
from beffroi.base.territory.engine import INSEE_PATTERN, SIREN_PATTERN
from beffroi.base.territory.viewer import Role

models.CharField.register_lookup(Length)
ROLES = [(role.value, role.value) for role in Role]
GROUPING_KINDS = [
    (kind, kind) for kind in ("CC", "CA", "CU", "METRO", "SIVU", "SIVOM", "SMF", "SMO", "PETR", "POLEM", "autre")
]


class Boxed(models.Model):
    """A shape kept as WKB (CRS84) with its box in columns, so that the database can sort out what is far."""

    shape_wkb = models.BinaryField(null=True, blank=True)
    west = models.FloatField(null=True, blank=True)
    south = models.FloatField(null=True, blank=True)
    east = models.FloatField(null=True, blank=True)
    north = models.FloatField(null=True, blank=True)

    class Meta:
        abstract = True


def _box_in_order(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=name,
        condition=Q(west__isnull=True)
        | Q(west__gte=-180, east__lte=180, south__gte=-90, north__lte=90, west__lte=F("east"), south__lte=F("north")),
    )


class Territory(Boxed):
    """What communes and groupings share. `code` is the INSEE code of a commune, the SIREN of a grouping."""

    code = models.CharField(primary_key=True, max_length=9)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    population = models.PositiveIntegerField(default=0)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="Europe/Paris")
    colour = models.CharField(max_length=7, blank=True)
    accent = models.CharField(max_length=7, blank=True)
    # The fingerprint of its arms (see `Arms`), empty when it has none: pages know it without reading the picture.
    arms = models.CharField(max_length=16, blank=True)
    fictional = models.BooleanField(default=False)
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "code"]
        constraints = [
            models.CheckConstraint(
                name="territory_code_form", condition=Q(code__regex=INSEE_PATTERN) | Q(code__regex=SIREN_PATTERN)
            ),
            models.CheckConstraint(
                name="territory_colour_form", condition=Q(colour="") | Q(colour__regex=r"^#[0-9a-f]{6}$")
            ),
            models.CheckConstraint(
                name="territory_accent_form", condition=Q(accent="") | Q(accent__regex=r"^#[0-9a-f]{6}$")
            ),
            _box_in_order("territory_box_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Commune(Territory):
    siren = models.CharField(max_length=9, unique=True, null=True, blank=True)
    # The commune whose staff tries things here, without consequence; see `sandbox`.
    sandbox_of = models.OneToOneField(
        "territory.Commune", null=True, blank=True, on_delete=models.CASCADE, related_name="sandbox"
    )
    department = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="commune_siren_form", condition=Q(siren__isnull=True) | Q(siren__regex=SIREN_PATTERN)
            ),
        ]


class Arms(models.Model):
    """The coat of arms or the logo of a territory, made harmless before it is kept (see `heraldry`)."""

    territory = models.OneToOneField(Territory, primary_key=True, on_delete=models.CASCADE, related_name="+")
    media_type = models.CharField(max_length=20)
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.territory_id} {self.media_type}"


class Grouping(Territory):
    """An EPCI or a mixed syndicate: its own data and people; being its agent opens nothing of its members."""

    kind = models.CharField(max_length=5, choices=GROUPING_KINDS)
    members = models.ManyToManyField(Commune, related_name="groupings", blank=True)


class SignInHost(models.Model):
    """A domain name of the portal and the territory it shows."""

    domain = models.CharField(max_length=253, primary_key=True)
    territory = models.ForeignKey(Territory, on_delete=models.CASCADE, related_name="hosts")

    class Meta:
        constraints = [models.CheckConstraint(name="host_lower_case", condition=Q(domain=Lower("domain")))]

    def __str__(self) -> str:
        return self.domain


class Zone(Boxed):
    """Any polygon of a territory: district, school sector, park, low-emission zone."""

    territory = models.ForeignKey(Territory, on_delete=models.CASCADE, related_name="zones")
    kind = models.SlugField(max_length=50)
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["kind", "name", "pk"]
        indexes = [models.Index(name="zone_box", fields=["territory", "west", "east", "south", "north"])]
        constraints = [
            models.UniqueConstraint(name="zone_once", fields=["territory", "kind", "slug"]),
            models.CheckConstraint(name="zone_has_shape", condition=Q(shape_wkb__isnull=False, west__isnull=False)),
            _box_in_order("zone_box_in_order"),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceUnit(models.Model):
    """A service of a town hall: roads, civil registry, green spaces."""

    territory = models.ForeignKey(Territory, on_delete=models.CASCADE, related_name="services")
    slug = models.SlugField(max_length=50)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(name="service_once", fields=["territory", "slug"])]

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        person = self.model(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email=(username or "").strip().lower())


class Person(AbstractBaseUser):
    """Anyone who signs in, with one account for every role and territory."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)
    session_epoch = models.PositiveIntegerField(default=0)

    USERNAME_FIELD = "email"
    objects = PersonManager()

    class Meta:
        ordering = ["email"]
        constraints = [models.CheckConstraint(name="person_email_lower_case", condition=Q(email=Lower("email")))]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    def get_session_auth_hash(self) -> str:
        """Return what a session must carry to stay open: it ends with the password or with a new `session_epoch`."""
        return salted_hmac("beffroi.session", f"{self.session_epoch}:{self.password}", algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return iter(())

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.email


class RoleGrant(models.Model):
    """One role of one person in one territory, from a moment and perhaps until another."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="grants")
    territory = models.ForeignKey(Territory, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=13, choices=ROLES)
    services = models.ManyToManyField(ServiceUnit, related_name="grants", blank=True)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["territory", "role", "pk"]
        constraints = [
            models.UniqueConstraint(name="grant_once", fields=["person", "territory", "role"]),
            models.CheckConstraint(name="grant_known_role", condition=Q(role__in=[role.value for role in Role])),
            models.CheckConstraint(
                name="grant_ends_after_start",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.territory_id}"


class ApiKey(models.Model):
    """A key another system signs in with; only its hash is kept."""

    territory = models.ForeignKey(Territory, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(name="key_hash_length", condition=Q(secret_hash__length=64)),
            models.CheckConstraint(name="key_expires_after_creation", condition=Q(expires_at__gt=F("created_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.name} (bef_{self.prefix}…)"
