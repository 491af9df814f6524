"""What can be done with bookings. Every change and its event are one transaction; see docs/rooms/bookings.md."""

from __future__ import annotations

from beffroi.serve.bookings.changes import Changed as Changed
from beffroi.serve.bookings.changes import cancel_booking as cancel_booking
from beffroi.serve.bookings.changes import change_day as change_day
from beffroi.serve.bookings.changes import mark_booking as mark_booking
from beffroi.serve.bookings.changes import move_booking as move_booking
from beffroi.serve.bookings.changes import restore_day as restore_day
from beffroi.serve.bookings.definition import Wish as Wish
from beffroi.serve.bookings.intake import book as book
