"""What a use case of the `layers` engine may say of goods that could leave the road: `[layers.freight]`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class FreightMode(BaseModel):
    """What it takes to carry goods by one mode: figures of a year, with where they come from; a town writes its own.

    Grams of CO2 equivalent and euros are per tonne and kilometre, from the least to the most their source says.
    `payload_t` is what a lorry, a boat or a train carries, `speed_kmh` its mean speed, stops included.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    co2_g_tkm: tuple[float, float]
    cost_eur_tkm: tuple[float, float]
    payload_t: float = Field(gt=0)
    speed_kmh: float = Field(gt=0)
    source: str = Field(min_length=1)

    def model_post_init(self, _context: Any) -> None:
        """Refuse bounds the wrong way round."""
        for low, high in (self.co2_g_tkm, self.cost_eur_tkm):
            if not 0 <= low <= high:
                raise ValueError("donnez le moins puis le plus, sans négatif")


class Freight(BaseModel):
    """Goods by road, or by river or rail and a last mile: where they change, the ways there, what each mode takes.

    `detour` multiplies a straight line where no network is known; `handling_eur_t` and `handling_h` are those of each
    change from one mode to another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quays: str = "ports-fluviaux"
    stations: str = "gares-fret"
    waterways: str = "voies-navigables"
    railways: str = "voies-ferrees"
    road: FreightMode
    river: FreightMode
    rail: FreightMode
    detour: float = Field(default=1.3, ge=1, le=3)
    handling_eur_t: float = Field(default=3.0, ge=0)
    handling_h: float = Field(default=6.0, ge=0)
    farthest_km: float = Field(default=60.0, gt=0)
    assumed: str = ""
