#!/usr/bin/env python3
"""Writes zone_edges.txt, the oracle for src/time/zone.rs: when days, weeks and months begin, 2024 to 2040.

It shares nothing with the code that it judges but the database's release: Python's zoneinfo reads the compiled
files of the PyPI package `tzdata`, and an edge is found by looking at the clock, not by reckoning with offsets.

    pip install tzdata==2026.5 && tests/data/zone_edges.py > tests/data/zone_edges.txt

A zone's lines: its months, a year a line, as UNIX seconds; then its weeks (from Monday) and its days, each as
the first edge of 2024 followed by the lengths of all periods in seconds, `LENGTHxTIMES` for equal ones in a row.
"""

import sys
import zoneinfo
from datetime import date, datetime, timedelta, timezone
from itertools import groupby

import tzdata

ZONES = """
    Europe/Madrid America/New_York Asia/Kolkata Australia/Lord_Howe Pacific/Apia America/Santiago Europe/Dublin
    America/Havana Africa/Casablanca Atlantic/Azores UTC Pacific/Kiritimati
    America/Asuncion Asia/Beirut Africa/Cairo Asia/Almaty Asia/Gaza America/Scoresbysund America/Vancouver
    Antarctica/Troll Asia/Kathmandu Pacific/Chatham
""".split()
FIRST, LAST = date(2024, 1, 1), date(2041, 1, 7)  # to the first Monday after the last month
STEP = 15 * 60


def shown(zone, at):
    """The date on the zone's calendars at an instant."""
    return datetime.fromtimestamp(at, zone).date()


def starts(zone):
    """For each day the first instant at which calendars show it, or a later one if they skip it."""
    at = int(datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=timezone.utc).timestamp()) - 36 * 3600
    day, found = FIRST, {}
    while day <= LAST:
        while shown(zone, at) < day:
            at += STEP
        before, after = at - STEP, at
        while after - before > 1:
            middle = (before + after) // 2
            if shown(zone, middle) < day:
                before = middle
            else:
                after = middle
        found[day] = after
        day += timedelta(days=1)
    return found


def lengths(edges):
    """The first edge, then the lengths between edges, run by run."""
    runs = groupby(after - before for before, after in zip(edges, edges[1:]))
    runs = [(length, len(list(run))) for length, run in runs]
    return " ".join([str(edges[0])] + [f"{length}x{times}" if times > 1 else str(length) for length, times in runs])


def write(name):
    found = starts(zoneinfo.ZoneInfo(name))
    print(f"zone {name}")
    for year in range(2024, 2041):
        print(f"months {year}", *(found[date(year, month, 1)] for month in range(1, 13)))
    print("months 2041", found[date(2041, 1, 1)])
    print("weeks", lengths([at for day, at in found.items() if day.weekday() == 0]))
    print("days", lengths(list(found.values())))


zoneinfo.reset_tzpath(to=())  # not the system's files, whatever their release
print("# Made by zone_edges.py with Python", sys.version.split()[0], "and tzdata", tzdata.__version__)
print("release", tzdata.IANA_VERSION)
for zone in ZONES:
    write(zone)
