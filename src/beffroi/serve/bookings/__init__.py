"""serve/bookings: what do people share, and when is it their turn? See docs/rooms/bookings.md."""
