"""What a use case of the `layers` engine may say in its table: looks, filters, figures. Validated with sentences.

[layers]
datasets = ["aires-jeux"]                      # slugs, in the order of the legend
columns  = ["sol", "accessible_pmr"]           # what the list tells of each thing, in order

[[layers.looks]]
dataset  = "aires-jeux"
icon     = "tree"
sentence = ["{nom}", "de {age_min} à {age_max} ans", "{horaires}"]    # a part with an unknown value is left out
column   = "age_min"
classes  = [{ below = 3, label = "Dès tout petit", colour = "bleu" }, { label = "Plus tard", colour = "orange" }]

[[layers.filters]]
name = "age"                                   # the word of the address: ?age=4
kind = "between"                               # between two columns, choice of one, words in one, open now
label = "Âge de l’enfant"
columns = ["age_min", "age_max"]

[[layers.figures]]
title = "Prix médian par rue"
dataset = "ventes-immobilieres"
by = "adresse_nom_voie"
function = "median"
column = "prix_m2"
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from beffroi.lake.definition_values import KEY, SLUG
from beffroi.lake.freight_settings import Freight
from beffroi.lake.layer_colours import COLOURS, OFFICIAL, hex_of, told_apart

ICONS = (
    "alert", "bell", "building", "calendar", "chart", "clock", "culture", "energy", "health", "home", "info", "map",
    "money", "people", "pin", "position", "safety", "school", "shop", "transport", "tree", "warning", "water",
)  # fmt: skip
"""Those of the house's icons that can be read at the size of a mark."""

FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_WORD = re.compile(r"[a-z][a-z0-9-]*")


def _among(known: tuple[str, ...], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and value not in known:
            raise ValueError(f"{what} parmi : {', '.join(known)}")
        return value

    return AfterValidator(check)


def _like(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise ValueError(f"« {value} » n'est pas {what}")
        return value

    return AfterValidator(check)


Colour = Annotated[str, _among((*COLOURS, *OFFICIAL), "une couleur")]
Icon = Annotated[str, _among(ICONS, "une icône")]
Key = Annotated[str, _like(KEY, "un nom de colonne")]
Slug = Annotated[str, _like(SLUG, "un nom de jeu de données")]
Word = Annotated[str, _like(_WORD, "un mot en minuscules")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LookClass(_Table):
    """One line of a legend: the things whose column holds `value`, or is `below` a number; neither: all the others."""

    label: str = Field(min_length=1)
    colour: Colour
    value: str | int | float | bool | None = None
    below: float | None = None
    icon: Icon = ""


class Look(_Table):
    """How the things of a dataset are drawn and told.

    `label` names them in the legend; `named` names one of them where no column does: "{genre}, {voie}".
    `height` is the column that says, in metres, how high what may be built there stands: an envelope, seen through.
    `outline`: of areas that lie over others, only the edges are drawn.
    """

    dataset: Slug
    icon: Icon = ""
    colour: Colour = ""
    column: Key = ""
    classes: list[LookClass] = Field(default_factory=list)
    label: str = ""
    named: str = ""
    height: Key = ""
    outline: bool = False
    sentence: list[str] = Field(default_factory=list)

    def model_post_init(self, _context: Any) -> None:
        """Refuse a legend one cannot read."""
        if bool(self.column) != bool(self.classes):
            raise ValueError("une légende demande à la fois column et classes")
        if len(self.classes) > 7:
            raise ValueError("sept classes au plus : au-delà, on ne lit plus la légende")
        tests = [(one.value, one.below) for one in self.classes]
        if len(set(map(str, tests))) < len(tests):
            raise ValueError("deux classes disent la même valeur")
        for one in self.classes:
            if one.colour in OFFICIAL and len(one.label) != 1:
                raise ValueError(f"« {one.colour} » est une couleur légale : l’intitulé de sa classe est une lettre")
        for one, other in combinations(self.classes, 2):
            if one.colour in OFFICIAL and other.colour in OFFICIAL:
                continue
            alike = not told_apart(hex_of(one.colour), hex_of(other.colour))
            if alike and (one.icon or self.icon) == (other.icon or self.icon):
                raise ValueError(
                    f"« {one.label} » ({one.colour}) et « {other.label} » ({other.colour}) se confondent pour qui ne "
                    "voit pas le rouge ou le vert : changez une couleur, ou donnez-leur deux icônes"
                )


class Filter(_Table):
    """What a reader may keep of the things: `name` is its word in the address."""

    name: Word
    kind: Literal["between", "choice", "open", "words"]
    label: str = Field(min_length=1)
    dataset: Slug = ""
    columns: list[Key] = Field(default_factory=list)
    help: str = ""

    def model_post_init(self, _context: Any) -> None:
        """Refuse a filter without the columns it looks at."""
        wanted = {"between": 2, "choice": 1, "open": 1, "words": 1}[self.kind]
        if len(self.columns) != wanted:
            raise ValueError(f"un filtre « {self.kind} » demande {wanted} colonne(s)")


class Figures(_Table):
    """A table of figures of a dataset, by the values of a column; those of fewer than `least` rows are not told."""

    title: str = Field(min_length=1)
    dataset: Slug
    by: Key
    function: Literal["count", "sum", "mean", "min", "max", "median", "distinct"] = "count"
    column: Key = ""
    unit: str = ""
    least: int = Field(default=1, ge=1)
    order: Literal["key", "value"] = "value"
    most: int = Field(default=20, ge=1, le=200)
    trend: bool = False
    description: str = ""

    def model_post_init(self, _context: Any) -> None:
        """Refuse a figure of nothing."""
        if (self.function == "count") == bool(self.column):
            raise ValueError("column va avec toute mesure, sauf « count » qui compte les lignes")
        if self.trend and self.order != "key":
            raise ValueError('une tendance se lit dans l’ordre de sa colonne : order = "key"')


class Spots(_Table):
    """Where the things of a dataset gather, ranked by what passes there: accidents, against the traffic counted.

    A spot is a circle of `within_m` metres that holds `least` of them. `date`, `street`, `killed`, `hurt` are columns
    of the dataset; `street_counted`, `per_day` those of `traffic`, the counts.
    """

    dataset: Slug
    traffic: Slug
    within_m: float = Field(default=50.0, gt=0, le=1000)
    least: int = Field(default=3, ge=2)
    date: Key = "date_accident"
    street: Key = "adr"
    killed: Key = "tues"
    hurt: Key = "blesses_graves"
    street_counted: Key = "voie"
    per_day: Key = "tmja"


class Energy(_Table):
    """The energy of buildings: `labels` (ADEME), `measured` by address (Enedis), told by the areas of `districts`.

    `addresses` is the national address base, by which what is measured at an address finds its buildings.
    """

    labels: Slug = "dpe"
    measured: Slug = "consommations-adresses"
    addresses: Slug = "adresses"
    districts: Slug = "quartiers"


class Leaks(_Table):
    """Homes that leak heat: `labels` (ADEME) where there are some, estimated elsewhere, told by `districts`."""

    labels: Slug = "dpe"
    districts: Slug = "quartiers"


class Trade(_Table):
    """How shops fare: the register of `shops` (SIRENE), legal `notices` (BODACC), published `accounts` (INPI).

    A group of fewer than `least` shops is not told; a notice counts for `months`.
    """

    shops: Slug = "etablissements"
    notices: Slug = "annonces-bodacc"
    accounts: Slug = "comptes-annuels"
    least: int = Field(default=5, ge=3, le=50)
    months: int = Field(default=12, ge=1, le=60)


class Watched(_Table):
    """Cameras whose fields, and what happens outside all of them, are told to who may read where they look.

    What happened (`incidents`) and no camera saw is gathered by squares of `cell_m` metres that hold `least` of it.
    """

    dataset: Slug
    incidents: Slug
    cell_m: float = Field(default=100.0, ge=20, le=1000)
    least: int = Field(default=3, ge=1)


class Floods(_Table):
    """What water reaches: `zones` are the classes of its height by scenario, `public` the places agents warn first."""

    zones: Slug = "hauteurs-eau"
    public: list[Slug] = Field(default_factory=list)


class Underground(_Table):
    """What is under the streets: `networks` (agents only), and what an address is told of the ground and of fibre."""

    networks: Slug = "reseaux-enterres"
    clay: Slug = "argiles"
    moves: Slug = "mouvements-terrain"
    fibre: Slug = "couverture-fibre"


class Premises(_Table):
    """Lots of buildings, who says they are vacant, and when a building counts as mixed.

    The first keys name datasets. To officials nothing is told of fewer than `least` lots (LOVAC's own rule).
    """

    lots: Slug = "locaux"
    vacancy: Slug = "lovac"
    surveys: Slug = "releves-occupation"
    companies: Slug = "etablissements"
    districts: Slug = "quartiers"
    least_uses: int = Field(default=3, ge=2, le=5)
    most_share: float = Field(default=0.6, gt=0.2, le=1)
    least: int = Field(default=11, ge=3)


class Unfit(_Table):
    """Unfit housing by block: `files`, `inspections` and `orders` are for the agents of `service`, who publish.

    Blocks are drawn from `parcels`, vacancy read by `premises`, energy labels from `labels`. To others nothing is told
    of fewer than `least`. `category` is that of residents' reports counted with them.
    """

    files: Slug = "habitat-indigne"
    inspections: Slug = "visites-habitat"
    orders: Slug = "arretes-habitat"
    labels: Slug = "dpe"
    parcels: Slug = "parcelles"
    addresses: Slug = "adresses"
    service: Slug = "habitat"
    category: Word = "insalubrite"
    least: int = Field(default=5, ge=3)
    premises: Premises = Field(default_factory=Premises)


class Owners(_Table):
    """Owners, tenants, rental values and transfers of premises of work, for the members of `service` alone.

    `rights` is a dataset nobody reads but through a record that is logged; the reason is asked once for `hours`.
    `transfers` are the notices of the BODACC.
    """

    rights: Slug = "droits-locaux"
    transfers: Slug = "annonces-bodacc"
    service: Slug = "proprietaires"
    hours: int = Field(default=4, ge=1, le=12)
    premises: Premises = Field(default_factory=Premises)


LightClass = Literal["C3", "C4", "C5", "P1", "P2", "P3", "P4", "P5", "P6"]


class LightClasses(_Table):
    """The class of NF EN 13201-2 a town wants for each part of its public space: its choice, none is imposed by law."""

    carriageway: LightClass = "P3"
    side: LightClass = "P4"
    square: LightClass = "P4"
    path: LightClass = "P5"
    park: LightClass = "P6"


class LightedArea(_Table):
    """Areas of the public space beside streets: those whose column `only` holds one of `values`, all without any.

    `open`, where the dataset has it, tells which are open to all.
    """

    dataset: Slug
    part: Literal["square", "path", "park"]
    name: Key = "nom"
    only: Key = "nature"
    values: list[str] = Field(default_factory=list)
    open: Key = "ouvert_public"


class Lighting(_Table):
    """Street lamps, what they light of the public space, what scenarios would cost.

    The first keys name datasets, the others the columns of `lamps`, then those of `streets` and `districts`.
    `price_eur_kwh` is only what a new scenario proposes: each states its own, and where it comes from.
    """

    lamps: Slug
    streets: Slug = "troncons-route"
    parcels: Slug = "parcelles"
    districts: Slug = "quartiers"
    areas: list[LightedArea] = Field(default_factory=list)
    classes: LightClasses = Field(default_factory=LightClasses)
    price_eur_kwh: float = Field(default=0.25, gt=0, le=2)
    power: Key = "puissance_w"
    flux: Key = "flux_lm"
    kelvin: Key = "temperature_de_couleur_k"
    height: Key = "hauteur_m"
    source: Key = "source"
    off: Key = "extinction"
    laid: Key = "date_de_pose"
    street: Key = "voie"
    street_name: Key = "nom_voie"
    width: Key = "largeur"
    nature: Key = "nature"
    urban: Key = "urbain"
    usual_width_m: float = Field(default=5.5, gt=0, le=40)
    district_name: Key = "nom"


class Settings(_Table):
    """The table of a use case. `nearest`: places may be ranked by the way to them. `volumes`: buildings stand.

    `painted` is the dataset whose classes colour the buildings: its look says which column, and in which colours.

    `offline`: the page leads to the emergency screen, which opens without network.

    `live` names the live layers drawn over them, by the slug their face registered (see `shell/overlays.py`).

    `charging` is the dataset of charging points (IRVE), whose state is told on a page of its own.

    `counted` is the public view of the first dataset, which is reserved (see `aggregating`).
    """

    datasets: list[Slug] = Field(min_length=1)
    columns: list[Key] = Field(default_factory=list)
    counted: Slug = ""
    looks: list[Look] = Field(default_factory=list)
    filters: list[Filter] = Field(default_factory=list)
    figures: list[Figures] = Field(default_factory=list)
    spots: Spots | None = None
    energy: Energy | None = None
    leaks: Leaks | None = None
    trade: Trade | None = None
    watched: Watched | None = None

    floods: Floods | None = None
    lighting: Lighting | None = None
    underground: Underground | None = None
    freight: Freight | None = None
    premises: Premises | None = None
    unfit: Unfit | None = None
    owners: Owners | None = None
    charging: Slug = ""
    nearest: bool = False
    offline: bool = False
    volumes: bool = False
    painted: Slug = ""
    live: list[Slug] = Field(default_factory=list)

    def model_post_init(self, _context: Any) -> None:
        """Refuse looks, filters and figures of a dataset the use case does not show, and words said twice."""
        for part in ("looks", "filters", "figures"):
            for one in getattr(self, part):
                if one.dataset and one.dataset not in self.datasets:
                    raise ValueError(f"{part} : « {one.dataset} » n'est pas dans datasets")
        look = self.look(self.painted)
        if self.painted and (look is None or not look.column):
            raise ValueError(f"painted : les classes de « {self.painted} » ne sont pas dans looks")
        names = [one.name for one in self.filters]
        if len(set(names)) < len(names):
            raise ValueError("filters : deux filtres portent le même nom")

    def look(self, slug: str) -> Look | None:
        """Return how a dataset looks, None when the use case leaves it as it is."""
        return next((one for one in self.looks if one.dataset == slug), None)

    def filters_of(self, slug: str) -> list[Filter]:
        """Return the filters of a dataset; one that names none is of all."""
        return [one for one in self.filters if one.dataset in ("", slug)]
