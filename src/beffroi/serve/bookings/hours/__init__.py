"""Booking by the hour: a room, a court, an adviser, a bay, a session. See docs/rooms/bookings.md."""
