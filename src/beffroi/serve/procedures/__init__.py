"""serve/procedures: what do people ask of the town, and what does it decide? See docs/rooms/procedures.md."""
