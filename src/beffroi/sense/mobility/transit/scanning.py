"""The connection scan: compiled, over hops sorted by their departure. Needs numba (the extra `mobility`).

Source: Dibbelt, Pajor, Strasser and Wagner, Intriguingly simple and fast transit routing, SEA 2013.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def scan(
    leaves: Any, arrives: Any, source: Any, target: Any, trip: Any, boards: Any, alights: Any, ready: Any, egress: Any,
    foot_first: Any, foot_to: Any, foot_s: Any, change_s: float, limit: float, entered: Any, leg_in: Any, leg_out: Any,
) -> Any:  # fmt: skip
    """Find the earliest arrival; return (seconds, hop boarded last, hop left last), -1 and -1 when walking is as good.

    Hops (h): `leaves`, `arrives` (seconds), `source`, `target` (stops), `trip` (of a day), whether one may board and
    alight. Stops (s): `ready`, when one may board there (infinite far from the start), changed here; `egress`, the walk
    from it to the goal. `foot_*`: walks between stops, by the stop they leave. `entered` (trips, -1), `leg_in` and
    `leg_out` (s, -1): the hops boarded and left to be ready at a stop. `limit`: the arrival by another way.
    """
    total, last_in, last_out = limit, -1, -1
    for hop in range(len(leaves)):
        if leaves[hop] >= total:
            break
        line = trip[hop]
        if entered[line] < 0 and boards[hop] and ready[source[hop]] <= leaves[hop]:
            entered[line] = hop
        if entered[line] < 0 or not alights[hop]:
            continue
        stop, time = target[hop], arrives[hop]
        if time + egress[stop] < total:
            total = time + egress[stop]
            last_in, last_out = entered[line], hop
        if time + change_s < ready[stop]:
            ready[stop] = time + change_s
            leg_in[stop] = entered[line]
            leg_out[stop] = hop
        for place in range(foot_first[stop], foot_first[stop + 1]):
            other = foot_to[place]
            if time + foot_s[place] < ready[other]:
                ready[other] = time + foot_s[place]
                leg_in[other] = entered[line]
                leg_out[other] = hop
    return np.float64(total), last_in, last_out
