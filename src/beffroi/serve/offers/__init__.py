"""serve/offers: what do people offer each other? See docs/rooms/offers.md."""
