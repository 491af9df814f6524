"""What can be done with bookings. Every change and its event are one transaction; see docs/rooms/bookings.md."""

from __future__ import annotations

from beffroi.serve.bookings.changes import Changed as Changed
from beffroi.serve.bookings.changes import cancel_booking as cancel_booking
from beffroi.serve.bookings.changes import change_day as change_day
from beffroi.serve.bookings.changes import mark_booking as mark_booking
from beffroi.serve.bookings.changes import move_booking as move_booking
from beffroi.serve.bookings.changes import restore_day as restore_day
from beffroi.serve.bookings.definition import Wish as Wish
from beffroi.serve.bookings.hours.changing import cancel_slot as cancel_slot
from beffroi.serve.bookings.hours.changing import confirm_offer as confirm_offer
from beffroi.serve.bookings.hours.changing import move_slot as move_slot
from beffroi.serve.bookings.hours.deciding import close_time as close_time
from beffroi.serve.bookings.hours.deciding import mark_slot as mark_slot
from beffroi.serve.bookings.hours.deciding import open_time as open_time
from beffroi.serve.bookings.hours.deciding import set_deposit as set_deposit
from beffroi.serve.bookings.hours.deciding import set_paid as set_paid
from beffroi.serve.bookings.hours.deciding import validate_slot as validate_slot
from beffroi.serve.bookings.hours.definition import SlotWish as SlotWish
from beffroi.serve.bookings.hours.giving import book_slot as book_slot
from beffroi.serve.bookings.hours.seasons import book_season as book_season
from beffroi.serve.bookings.intake import book as book
