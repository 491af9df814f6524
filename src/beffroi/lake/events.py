"""What the lake tells the journal; other rooms subscribe by kind (see `base/journal/events`)."""

from __future__ import annotations

DATASET_PUBLISHED = "dataset.published"
"""A version is served. Subject ``dataset:<territory>/<slug>``; payload: version, title, rows."""

DATASET_RESTORED = "dataset.restored"
"""An agent put an earlier version back in service. Same subject and payload."""

VERSIONS_WITHDRAWN = "dataset.versions_withdrawn"
"""What some versions told must no longer be told: they are gone. Same subject; payload: versions, reason."""
DATASET_EDITED = "dataset.edited"
"""One thing was corrected. Same subject; payload: id, change (added, changed, removed), version it is laid over."""

DATASET_OWNED = "dataset.owned"
"""Someone else answers for a dataset. Same subject; payload: service (slug or empty), person (number or None)."""

DATASET_PACED = "dataset.paced"
"""An agent said how often a dataset is made new. Same subject; payload: rhythm, before (empty: left to its file)."""

SOURCE_CONNECTED = "source.connected"
SOURCE_CHANGED = "source.changed"
SOURCE_SUSPENDED = "source.suspended"
SOURCE_RESUMED = "source.resumed"
SOURCE_REMOVED = "source.removed"
"""What agents do to the sources they connect. Subject: the dataset of the source; payload: source, host. No secret."""

UPLOAD_STAGED = "upload.staged"
"""An agent sent a file. Subject: its dataset; payload: upload, dataset, size_bytes."""

UPLOAD_PUBLISHED = "upload.published"
UPLOAD_REFUSED = "upload.refused"
UPLOAD_EXPIRED = "upload.expired"

KINDS = (
    DATASET_PUBLISHED,
    DATASET_RESTORED,
    VERSIONS_WITHDRAWN,
    DATASET_EDITED,
    DATASET_OWNED,
    DATASET_PACED,
    SOURCE_CONNECTED,
    SOURCE_CHANGED,
    SOURCE_SUSPENDED,
    SOURCE_RESUMED,
    SOURCE_REMOVED,
    UPLOAD_STAGED,
    UPLOAD_PUBLISHED,
    UPLOAD_REFUSED,
    UPLOAD_EXPIRED,
)
