"""What mobility tells the journal, and what it hears.

An obstacle is told by either of two ways, with the same effect:

- a room above calls ``operations.obstacle_at`` and ``operations.end_obstacle`` in its own transaction: routes count
  it at the next request, and the events below are recorded;
- another writer records ``obstacle.reported`` itself, its subject naming the obstacle (``report:123``), with the
  payload ``{"kind", "lon", "lat", "radius_m", "starts_at", "until", "label"}`` (kind, lon and lat are required;
  instants in ISO 8601); then ``obstacle.ended`` on the same subject. A worker brings it to the routes in
  about half a second.
"""

from __future__ import annotations

OBSTACLE_REPORTED = "obstacle.reported"
"""Something stands in the way. Payload: kind (of ``mobility/obstacles.toml``), lon, lat, radius_m, starts_at, until,
label."""

OBSTACLE_ENDED = "obstacle.ended"
"""It no longer does. Same subject; payload: kind."""

GRAPH_BUILT = "graph.built"
"""Routes use a new graph. Subject ``graph:<territory>``; payload: version, segments, ends."""

TIMETABLE_BUILT = "timetable.built"
"""Departures come from a new timetable. Subject ``timetable:<territory>/<feed>``; payload: version, trips, stops."""

ROUND_ASKED = "round.asked"
"""Someone asked for a round. Subject ``round:<number>``; payload: title, service, day, stops, vehicles."""

ROUND_COMPUTED = "round.computed"
"""A round was computed. Payload: stops, left_out, metres, seconds (of work, all vehicles together)."""

ROUND_CHANGED = "round.changed"
"""Someone moved a stop by hand, or went back. Payload: what (``moved``, ``undone``), stop, vehicle, metres and
seconds: how much it added."""

ROUND_DELETED = "round.deleted"
"""Someone let go of a round. Payload: title."""

NEED_NOTED = "need.noted"
"""An agent noted a need. Subject ``need:<number>``; payload: use_case. Neither where nor what: see `rounds.needs`."""

NEED_CLOSED = "need.closed"
"""Nobody need go there any more. Same subject and payload."""

PASSAGE_NOTED = "passage.noted"
"""A team told what came of a stop. Subject ``round:<number>``; payload: outcome (a code of the use case)."""

WORKS_DESCRIBED = "works.described"
"""Someone described works. Subject ``works:<number>``; payload: title, service."""

WORKS_COMPUTED = "works.computed"
"""The effects of works were computed. Payload: trips, scenarios."""

WORKS_PUBLISHED = "works.published"
"""Works are told to everyone, and routes count them on their days. Payload: title, scenario, first, last (ISO days),
streets, closures, chosen (number of the scenario)."""

WORKS_ENDED = "works.ended"
"""Works are over, or were taken back. Payload: title, over and chosen, or deleted."""

DIRECTION_PROPOSED = "direction.proposed"
"""A change of direction is told to everyone before it is decided; routes do not count it. Subject ``works:<number>``;
payload: title, scenario, first, last (ISO days), streets, chosen."""

DIRECTION_CLOSED = "direction.closed"
"""It is proposed no more. Same subject; payload: title, over, chosen."""

KINDS = (
    OBSTACLE_REPORTED,
    OBSTACLE_ENDED,
    GRAPH_BUILT,
    TIMETABLE_BUILT,
    ROUND_ASKED,
    ROUND_COMPUTED,
    ROUND_CHANGED,
    ROUND_DELETED,
    NEED_NOTED,
    NEED_CLOSED,
    PASSAGE_NOTED,
    WORKS_DESCRIBED,
    WORKS_COMPUTED,
    WORKS_PUBLISHED,
    WORKS_ENDED,
    DIRECTION_PROPOSED,
    DIRECTION_CLOSED,
)
