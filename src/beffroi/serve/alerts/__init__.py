"""serve/alerts: what must people know, where they are, and at once? See docs/rooms/alerts.md."""
