"""What the twin tells the journal. Subjects are ``building:<territory>/<dataset>/<feature>``."""

from __future__ import annotations

WORK_NOTED = "building.work_noted"
"""Works, maintenance or an inspection were noted. Payload: number, kind, component, day, cost_eur (text or null)."""

CONDITION_READ = "building.condition_read"
"""The state of a component was read. Payload: number, component, grade, day."""

NOTE_WITHDRAWN = "building.note_withdrawn"
"""A note made by mistake no longer counts. Payload: number, what (``work`` or ``reading``)."""

ENERGY_PROPOSED = "building.energy_proposed"
"""An owner proposed a label or a measure. Payload: number, kind."""

ENERGY_DECIDED = "building.energy_decided"
"""An agent approved, refused or took up again a proposal. Payload: number, kind, state."""

LIGHTING_KEPT = "lighting.scenario_kept"
"""A lighting scenario was kept or changed; the subject is ``lighting:<territory>/<number>``. Payload: number, acts."""

LIGHTING_WITHDRAWN = "lighting.scenario_withdrawn"
"""A lighting scenario is no longer shown. Payload: number, acts."""

UNFIT_PUBLISHED = "unfit.published"
"""An agent published an order of unfit housing, or figures by block; the subject is ``unfit:<territory>/<number>``.
Payload: number, what (``order`` or ``blocks``)."""

UNFIT_WITHDRAWN = "unfit.withdrawn"
"""A publication about unfit housing was undone. Payload: number, what."""

OWNERS_BEGUN = "owners.work_begun"
"""Someone entitled said why she reads owners; the subject is ``owners:<territory>/<number>``. Payload: number."""

OWNERS_READ = "owners.read"
"""The owner of premises was read; the subject is ``premises:<territory>/<lot>``. Payload: work, which says why."""

KINDS = (
    WORK_NOTED, CONDITION_READ, NOTE_WITHDRAWN, ENERGY_PROPOSED, ENERGY_DECIDED, LIGHTING_KEPT, LIGHTING_WITHDRAWN,
    UNFIT_PUBLISHED, UNFIT_WITHDRAWN, OWNERS_BEGUN, OWNERS_READ,
)  # fmt: skip
