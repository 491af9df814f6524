"""Purpose, retention, export and erasure, generated from what models declare."""
