"""What can be asked about bookings by the hour; rights are cut in `reading`. See docs/rooms/bookings.md."""

from __future__ import annotations

from beffroi.serve.bookings.hours.codes import is_shown as is_shown
from beffroi.serve.bookings.hours.definition import SlotInfo as SlotInfo
from beffroi.serve.bookings.hours.figures import slot_figures as slot_figures
from beffroi.serve.bookings.hours.giving import may_wait as may_wait
from beffroi.serve.bookings.hours.prices import price_of as price_of
from beffroi.serve.bookings.hours.reading import busy_times as busy_times
from beffroi.serve.bookings.hours.reading import closings as closings
from beffroi.serve.bookings.hours.reading import counts_to_validate as counts_to_validate
from beffroi.serve.bookings.hours.reading import deposits_out as deposits_out
from beffroi.serve.bookings.hours.reading import desk_lines as desk_lines
from beffroi.serve.bookings.hours.reading import followed_slot as followed_slot
from beffroi.serve.bookings.hours.reading import lock_codes as lock_codes
from beffroi.serve.bookings.hours.reading import may_work_slots as may_work_slots
from beffroi.serve.bookings.hours.reading import slot_booking as slot_booking
from beffroi.serve.bookings.hours.reading import slot_headings as slot_headings
from beffroi.serve.bookings.hours.reading import to_validate as to_validate
from beffroi.serve.bookings.hours.rules import Place as Place
from beffroi.serve.bookings.hours.rules import SlotThing as SlotThing
from beffroi.serve.bookings.hours.rules import Tariff as Tariff
from beffroi.serve.bookings.hours.rules import known_slot_thing as known_slot_thing
from beffroi.serve.bookings.hours.rules import open_slot_thing as open_slot_thing
from beffroi.serve.bookings.hours.rules import open_slot_things as open_slot_things
from beffroi.serve.bookings.hours.times import Time as Time
from beffroi.serve.bookings.hours.times import local as local
from beffroi.serve.bookings.hours.times import opens_on as opens_on
from beffroi.serve.bookings.hours.weeks import Moment as Moment
from beffroi.serve.bookings.hours.weeks import Standing as Standing
from beffroi.serve.bookings.hours.weeks import asked_time as asked_time
from beffroi.serve.bookings.hours.weeks import closed_days as closed_days
from beffroi.serve.bookings.hours.weeks import free_ends as free_ends
from beffroi.serve.bookings.hours.weeks import is_free as is_free
from beffroi.serve.bookings.hours.weeks import moments as moments
