"""Booking by the hour: find a free time, take it, follow it."""
