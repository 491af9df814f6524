"""Small networks written by hand, as archives and as timetables, and a second way to tell their departures."""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

from google.protobuf.json_format import ParseDict
from google.transit.gtfs_realtime_pb2 import FeedMessage

from beffroi.sense.mobility.transit.building import build
from beffroi.sense.mobility.transit.operations import made
from beffroi.sense.mobility.transit.store import put_in_place
from beffroi.sense.mobility.transit.tables import from_zip
from beffroi.sense.mobility.transit.timetable import Timetable

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")

# Two lines about the small town of the tests: bus 1 along the street, tram T by a station of two platforms.
NETWORK = {
    "agency": "agency_id,agency_name,agency_url,agency_timezone\nA,Réseau d’essai,https://reseau.example/,Europe/Paris\n",
    "stops": (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding,platform_code\n"
        "G,Gare,45.0100,3.0100,1,,1,\n"
        "G1,Gare,45.0101,3.0101,0,G,,1\n"
        "G2,Gare,45.0102,3.0102,0,G,2,2\n"
        "M,Mairie,45.0080,3.0080,0,,1,\n"
        "E,Église,45.0060,3.0060,0,,2,\n"
        "X,Dépôt,45.0010,3.0010,0,,,\n"
    ),
    "routes": (
        "route_id,agency_id,route_short_name,route_long_name,route_type,route_color,route_text_color\n"
        "L1,A,1,Gare — Église,3,1F5FA8,FFFFFF\n"
        "T,A,T,Tram de nuit,0,FFB900,FFFFFF\n"
    ),
    "trips": (
        "route_id,service_id,trip_id,trip_headsign,direction_id,wheelchair_accessible\n"
        "L1,SEM,a1,Église,0,1\nL1,SEM,a2,Église,0,2\nL1,SEM,r1,Gare,1,\n"
        "T,SAM,n1,,0,1\nT,DIM,d1,Mairie,0,1\n"
    ),
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,stop_headsign\n"
        "a1,08:00:00,08:00:00,G1,1,0,\na1,08:10:00,08:11:00,M,2,0,\na1,08:20:00,08:20:00,E,3,0,\n"
        "a2,09:00:00,09:00:00,G1,1,0,\na2,,,M,2,2,\na2,09:20:00,09:20:00,E,3,0,\n"
        "r1,08:30:00,08:30:00,E,1,0,\nr1,08:40:00,08:40:00,M,2,0,\nr1,08:50:00,08:50:00,G2,3,0,\n"
        # A night tram of Saturday that runs after midnight, and one at two on Sundays, when clocks change.
        "n1,23:50:00,23:50:00,G2,5,0,Mairie par le pont\nn1,24:10:00,24:10:00,E,6,1,\nn1,25:30:00,25:30:00,M,9,0,\n"
        "d1,02:30:00,02:30:00,G2,1,0,\nd1,02:50:00,02:50:00,M,2,0,\n"
    ),
    "calendar": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "SEM,1,1,1,1,1,0,0,20260101,20261231\nSAM,0,0,0,0,0,1,0,20260101,20261231\n"
    ),
    "calendar_dates": (
        "service_id,date,exception_type\nSEM,20260501,2\nSAM,20260501,1\nDIM,20260329,1\nDIM,20261025,1\n"
    ),
}  # fmt: skip


def archive(folder: Path, tables: Mapping[str, str], name: str = "reseau.zip") -> Path:
    """Write tables as the zip of a publisher."""
    path = folder / name
    with zipfile.ZipFile(path, "w") as out:
        for table, text in tables.items():
            out.writestr(f"{table}.txt", text)
    return path


def timetable_of(folder: Path, tables: Mapping[str, str] = NETWORK) -> Timetable:
    """Build the timetable of tables written by hand."""
    return build(from_zip(archive(folder, tables)), feed="reseau", territory="00001", version="essai", at=AT)


@dataclass(frozen=True)
class Run:
    """One line of stop_times that one may board, with what the other files say of its trip."""

    trip: str
    service: str
    stop: str
    seconds: int


class PlainFeed:
    """A feed read with nothing but csv, and asked by looking at everything: slow, and independent of the room's code.

    `shift` moves its calendar by so many days.
    """

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as files:
            names = set(files.namelist())
            self.files = {
                name: list(csv.DictReader(io.TextIOWrapper(files.open(f"{name}.txt"), "utf-8-sig")))
                for name in ("calendar", "calendar_dates", "trips", "stop_times")
                if f"{name}.txt" in names
            }
        self.shift = timedelta()
        service = {row["trip_id"]: row["service_id"] for row in self.files["trips"]}
        ends: dict[str, int] = {}
        for row in self.files["stop_times"]:
            ends[row["trip_id"]] = max(ends.get(row["trip_id"], 0), int(row["stop_sequence"]))
        self.at_stop: dict[str, list[Run]] = {}
        for row in self.files["stop_times"]:
            hours, minutes, seconds = (int(part) for part in row["departure_time"].split(":"))
            last = int(row["stop_sequence"]) == ends[row["trip_id"]]
            if not last and row.get("pickup_type") != "1":
                run = Run(
                    row["trip_id"], service[row["trip_id"]], row["stop_id"], hours * 3600 + minutes * 60 + seconds
                )
                self.at_stop.setdefault(row["stop_id"], []).append(run)

    def runs(self, service: str, day: date) -> bool:
        """Tell whether a service runs on a day."""
        name = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[day.weekday()]
        # Dates as the files write them compare as texts.
        text = f"{day - self.shift:%Y%m%d}"
        for row in self.files.get("calendar_dates", ()):
            if row["service_id"] == service and row["date"] == text:
                return row["exception_type"] == "1"
        return any(
            row["service_id"] == service and row[name] == "1" and row["start_date"] <= text <= row["end_date"]
            for row in self.files.get("calendar", ())
        )

    def departures(self, stops: Iterable[str], at: datetime, hours: float) -> list[tuple[datetime, str]]:
        """Return (instant, trip) of all that leaves these stops within `hours`, in order."""
        found = []
        for offset in range(-3, 3):
            day = at.astimezone(PARIS).date() + timedelta(days=offset)
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=PARIS).astimezone(UTC)
            running: dict[str, bool] = {}
            for run in (run for stop in stops for run in self.at_stop.get(stop, ())):
                leaves = noon - timedelta(hours=12) + timedelta(seconds=run.seconds)
                if at <= leaves <= at + timedelta(hours=hours):
                    if run.service not in running:
                        running[run.service] = self.runs(run.service, day)
                    if running[run.service]:
                        found.append((leaves, run.trip))
        return sorted(found)


def place_network(territory: str, folder: Path, tables: Mapping[str, str] = NETWORK) -> None:
    """Put a network in service in a town; `settings.DATA_DIR` is where."""
    timetable, notices = made(
        from_zip(archive(folder, tables)), feed="reseau", territory=territory, version="20260302T090000Z-essai", at=AT
    )
    put_in_place(timetable, notices)


class Network(ThreadingHTTPServer):
    """A network that answers what it is told to, over HTTP on this machine, and counts who asks."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.told: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"

    def tell(self, name: str, content: bytes, *, status: int = 200, cut: int = 0, **headers: str) -> None:
        """Answer so to whoever asks `name`; `cut` announces so many bytes more than are sent."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for key, value in headers.items():
                request.send_header(key.replace("_", "-"), value)
            request.send_header("Content-Length", str(len(content) + cut))
            request.end_headers()
            request.wfile.write(content)

        self.told[name] = answer


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Network)
        server.asked.append((self.path[1:], dict(self.headers)))
        server.told[self.path[1:]](self)

    def log_message(self, *what: object) -> None:
        """Say nothing."""


@contextmanager
def network_server() -> Iterator[Network]:
    """Run a network until the block ends."""
    server = Network()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def message(at: datetime, *entities: dict[str, object]) -> bytes:
    """Write a GTFS-RT message of that instant."""
    body = {
        "header": {"gtfs_realtime_version": "2.0", "timestamp": int(at.timestamp())},
        "entity": [{"id": str(number), **one} for number, one in enumerate(entities)],
    }
    content: bytes = ParseDict(body, FeedMessage()).SerializeToString()
    return content


def trip_update(trip: str, day: str = "", **told: object) -> dict[str, object]:
    """Tell of one trip: `delay`, `relation`, `of` (fields of the trip), `calls` (stop_sequence, departure…)."""
    relation = {"schedule_relationship": told["relation"]} if "relation" in told else {}
    update: dict[str, object] = {
        "trip": {"trip_id": trip, **({"start_date": day} if day else {}), **relation, **told.get("of", {})},  # type: ignore[dict-item]
        "stop_time_update": told.get("calls", []),
    }
    return {"trip_update": update | ({"delay": told["delay"]} if "delay" in told else {})}
