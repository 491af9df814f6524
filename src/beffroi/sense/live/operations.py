"""What can be done with sensors; see docs/rooms/live.md."""

from __future__ import annotations

from beffroi.sense.live.intake import may_send as may_send
from beffroi.sense.live.intake import receive as receive
from beffroi.sense.live.sensors import StreamDraft as StreamDraft
from beffroi.sense.live.sensors import ThingDraft as ThingDraft
from beffroi.sense.live.sensors import add_stream as add_stream
from beffroi.sense.live.sensors import add_thing as add_thing
from beffroi.sense.live.sensors import resume_thing as resume_thing
from beffroi.sense.live.sensors import suspend_thing as suspend_thing
from beffroi.sense.live.summing import forget_old as forget_old
from beffroi.sense.live.summing import sum_up as sum_up
