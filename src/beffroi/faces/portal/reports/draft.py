"""A report being written: everything typed so far travels in the form, from step to step, and is never lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.faces.portal.reports.forms import (
    DETAIL,
    ContactForm,
    DetailsForm,
    MandateForm,
    NamingForm,
    ObstacleForm,
    WhereForm,
    WordsForm,
)
from beffroi.faces.shell.access import Request
from beffroi.sense.mobility.transit import queries as transit
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import BadCase, Mandate, MandateKind, Requester, Upload
from beffroi.serve.reports import queries
from beffroi.serve.reports.categories import Category, OpenCategory
from beffroi.serve.reports.operations import Submission

# What a browser sends once it has shrunk a photo is far below; the domain says the exact limit.
MOST_PHOTO_BYTES = 15 * 1024 * 1024
MOST_PHOTOS = 5
FOR_ANOTHER = "autrui"
_OWN = frozenset({"csrfmiddlewaretoken", "step", "go", "q", "same"})


@dataclass(slots=True)
class Draft:
    """What was typed, as typed (`data`), and the forms that read it. `held` stands for photos already received."""

    request: Request
    territory: str
    data: QueryDict
    held: str = ""
    chosen: OpenCategory | None = None
    # Why photos that were held are no longer there.
    lost: BadCase | None = None
    where: WhereForm = field(init=False)
    words: WordsForm = field(init=False)
    details: DetailsForm | None = field(init=False, default=None)
    obstacle: ObstacleForm | None = field(init=False, default=None)
    # Only in a discreet category, when one files for oneself: one is anonymous unless one says otherwise.
    naming: NamingForm | None = field(init=False, default=None)
    contact: ContactForm = field(init=False)
    # Only when it is filed for somebody else (« pour=autrui »), by one who is signed in.
    mandate: MandateForm | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        try:
            cases.held_files(self.held)
        except BadCase as error:
            self.held, self.lost = "", error
        box = self.request.commune.bbox if self.request.commune else None
        self.where = WhereForm(self.data, within=box, citycode=self.territory)
        self.words = WordsForm(self.data)
        self.contact = ContactForm(self.data)
        if self.for_another and self.request.viewer.person_id is not None:
            is_agent = AGENTS in self.request.viewer.clearances(self.territory)
            self.mandate = MandateForm(self.data, for_agent=is_agent)
        if self.chosen is not None:
            self.details = DetailsForm(self.category, self.data, lines=lines_for(self.category, self.territory))
            self.obstacle = ObstacleForm(self.data) if self.category.obstacle else None
            self.naming = NamingForm(self.data) if self.category.discreet and not self.for_another else None

    @property
    def for_another(self) -> bool:
        """Tell whether it is filed for somebody else."""
        return bool(self.data.get("pour") == FOR_ANOTHER)

    @property
    def category(self) -> Category:
        """Return the category chosen."""
        if self.chosen is None:
            raise BadCase(
                gettext_noop("aucune catégorie n’est choisie"),
                where="category",
                remedy=gettext_noop("choisissez ce que vous voyez dans la liste"),
            )
        return self.chosen.category

    def hidden(self, *, but: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
        """Yield what the page must carry along: everything typed but the fields it shows itself."""
        for name in self.data:
            if name not in _OWN and name not in but and name != "held":
                yield from ((name, value) for value in self.data.getlist(name))
        if self.held:
            yield "held", self.held

    def photo_count(self) -> int:
        """Return how many photos are held."""
        return len(cases.held_files(self.held))


def lines_for(category: Category, territory: str) -> list[tuple[str, str]]:
    """Return the lines that run in a town, as (name, title), when a category asks for one; [] without timetables."""
    if not any(question.type == "line" for question in category.field) or not transit.has_transit(territory):
        return []
    titles: dict[str, str] = {}
    for line in transit.lines(territory):
        titles.setdefault(line.name, " – ".join(filter(None, (line.name, line.long_name))))
    return list(titles.items())


def read_draft(request: Request, viewer: Viewer, territory: str, *, category: str = "") -> Draft:
    """Return the draft that a form sent, or that the address of the page begins, in that `category`."""
    data = request.POST if request.method == "POST" else _begun(request)
    if category:
        data["category"] = category
    code = data.get("category", "")
    known = {one.category.code: one for one in queries.categories_for(viewer, territory)}
    return Draft(request, territory, data, data.get("held", ""), known.get(code))


def _begun(request: Request) -> QueryDict:
    """Return the first values of a form opened by a link: from a map, from a QR code, from a service."""
    data = QueryDict(mutable=True)
    for name, given in (
        ("lat", "lat"), ("lon", "lon"), ("address", "adresse"), ("category", "categorie"), ("place_object", "objet"),
        ("pour", "pour"),
    ):  # fmt: skip
        if value := request.GET.get(given, "").strip():
            data[name] = value[:200]
    for name in request.GET:
        if name.startswith(DETAIL) and (value := request.GET.get(name, "").strip()):
            data[name] = value[:200]
    return data


def sent_photos(request: HttpRequest) -> list[Upload]:
    """Return the photos of a form, read whole once their number and weight are known to be fair.

    Raises:
        BadCase: too many or too heavy.
    """
    files = [one for one in request.FILES.getlist("photo") if one]
    if len(files) > MOST_PHOTOS:
        raise BadCase(
            gettext_noop("{count} photos, {most} au plus"),
            where="photo",
            remedy=gettext_noop("gardez les plus parlantes"),
            count=len(files),
            most=MOST_PHOTOS,
        )
    return [_upload(one) for one in files]


def _upload(file: UploadedFile) -> Upload:
    name, size = file.name or "photo", file.size or 0
    if size > MOST_PHOTO_BYTES:
        raise BadCase(
            gettext_noop("la photo « {name} » pèse {size} Mo, {most} au plus"),
            where="photo",
            remedy=gettext_noop("envoyez-en une moins lourde"),
            name=name[:80],
            size=size // 1024 // 1024,
            most=MOST_PHOTO_BYTES // 1024 // 1024,
        )
    return Upload(name, file.read())


def submission_of(draft: Draft, photos: list[Upload]) -> Submission:
    """Return what a draft whose forms are valid sends.

    Raises:
        BadCase: no category is chosen.
    """
    category, place = draft.category, draft.where.cleaned_data
    dataset, _, feature = (place["place_object"] or "").partition("/")
    zone = place["zone"]
    middle = zone.representative_point() if zone is not None else None
    temporary = draft.obstacle.cleaned_data if draft.obstacle is not None else {}
    return Submission(
        category=category.code,
        lon=place["lon"] if place["lon"] is not None or middle is None else middle.x,
        lat=place["lat"] if place["lat"] is not None or middle is None else middle.y,
        description=draft.words.cleaned_data["description"],
        address=_readable(place["address"].label) if place["address"] else "",
        details=draft.details.answers() if draft.details is not None else {},
        zone=zone_json(zone) if zone is not None and category.geometry == "zone" else "",
        # A lamp may have been touched on the map for something that is not about lamps.
        dataset=dataset if dataset == category.object else "",
        feature=feature if dataset == category.object else "",
        lasting=temporary.get("lasting") == "oui",
        expires_on=temporary.get("expires_on") if temporary.get("lasting") != "oui" else None,
        photos=tuple(photos),
        idempotency_key=draft.data.get("key", ""),
        source="web",
    )


def _readable(label: str) -> str:
    """Return an address as one writes it, its postcode after a comma: the street alone is read from it.

    >>> _readable("12 Rue du Lavoir 34000 Montpellier")
    '12 Rue du Lavoir, 34000 Montpellier'
    """
    return re.sub(r"(?<=[^,\s]) (\d{5} )", r", \1", label)


def zone_json(zone: object) -> str:
    """Return a polygon as the text of its GeoJSON geometry."""
    import shapely

    return str(shapely.to_geojson(zone))


def requester_of(draft: Draft, viewer: Viewer, language: str) -> Requester:
    """Return who asks: the account that sends, or the person it is filed for, with the contacts typed."""
    email = draft.contact.cleaned_data.get("email", "")
    if draft.mandate is not None:
        given = draft.mandate.cleaned_data
        return Requester(name=given["name"], phone=given["phone"], email=email, language=language)
    if draft.naming is None:
        return Requester(person=viewer.person_id, email=email, language=language)
    if not draft.naming.is_named:
        return Requester(email=email, language=language)
    given = draft.naming.cleaned_data
    return Requester(viewer.person_id, given["name"], email, given["phone"], language)


def mandate_of(draft: Draft, viewer: Viewer) -> Mandate | None:
    """Return by whom and by what right it is filed, None when one files for oneself.

    Raises:
        BadCase: it is for somebody else, and nobody is signed in.
        Refused: the sender takes the part of an agent of a town she does not work for.
    """
    if draft.mandate is None:
        if draft.for_another:
            raise BadCase(
                gettext_noop("déposer pour quelqu’un d’autre demande un compte"),
                where="mandate",
                remedy=gettext_noop("connectez-vous, puis envoyez de nouveau"),
            )
        return None
    given = draft.mandate.cleaned_data
    kind = MandateKind(given["mandate"])
    return cases.mandate_of(viewer, draft.territory, kind, reference=given["reference"])
