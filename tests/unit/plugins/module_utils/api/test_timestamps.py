# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.timestamps import parse_timestamp, to_utc
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS)

THREE = datetime(2026, 8, 6, 3, 0, 0, tzinfo=timezone.utc)


@each_row(
    "text, moment",
    [
        ("2026-08-06T03:00:00Z", THREE),
        ("2026-08-06T03:00:00z", THREE),
        ("2026-08-06t03:00:00Z", THREE),
        ("2026-08-06 03:00:00Z", THREE),
        (" 2026-08-06T03:00:00Z\n", THREE),
        ("2026-08-06T03:00Z", THREE),
        ("2026-08-06T03:00:00+00:00", THREE),
        ("2026-08-06T05:00:00+02:00", THREE),
        ("2026-08-06T05:00:00+0200", THREE),
        ("2026-08-06T05:00:00+02", THREE),
        ("2026-08-05T23:30:00-03:30", THREE),
        ("2026-08-06T03:00:00.5Z", THREE.replace(microsecond=500000)),
        ("2026-08-06T03:00:00,5Z", THREE.replace(microsecond=500000)),
        ("2026-08-06T03:00:00.123Z", THREE.replace(microsecond=123000)),
        ("2026-08-06T03:00:00.123456789Z", THREE.replace(microsecond=123456)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=timezone.utc)),
    ],
)
def test_understood(text, moment):
    assert parse_timestamp(text) == moment


@each_row("text", [
    None, "", " ", "now", 1786000000, 1786000000.5, [], {}, True, b"2026-08-06T03:00:00Z",
    "2026-08-06", "2026-08-06T03:00:00", "03:00:00Z", "20260806T030000Z", "2026-08-06T03Z",
    "2026-8-6T03:00:00Z", "2026-13-06T03:00:00Z", "2025-02-29T00:00:00Z", "2026-08-06T25:00:00Z", "2026-08-06T03:61:00Z",
    "2026-08-06T03:00:00ZZ", "2026-08-06T03:00:00Z tomorrow", "2026-08-06T03:00:00+24:00", "2026-08-06T03:00:00+2:00",
    "2026-08-06T03:00:00.Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
    "٢٠٢٦-08-06T03:00:00Z",
])  # fmt: skip
def test_not_understood(text):
    assert parse_timestamp(text) is None


@each_row(
    "moment, text",
    [
        (THREE, "2026-08-06T03:00:00Z"),
        (THREE.replace(microsecond=123999), "2026-08-06T03:00:00.123Z"),
        (THREE.replace(microsecond=999), "2026-08-06T03:00:00Z"),
        (THREE.replace(microsecond=7000), "2026-08-06T03:00:00.007Z"),
        (THREE.astimezone(timezone(timedelta(hours=2))), "2026-08-06T03:00:00Z"),
        (datetime(999, 1, 1, tzinfo=timezone.utc), "0999-01-01T00:00:00Z"),
    ],
)
def test_as_the_api_takes_it(moment, text):
    assert to_utc(moment) == text


@given(MOMENTS)
def test_round_trip(moment):
    """What was parsed and sent is the same moment, to the millisecond."""
    parsed = parse_timestamp(moment.isoformat())
    assert parsed == moment
    back = parse_timestamp(to_utc(parsed))
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


@given(st.one_of(st.text(), st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d(:?\d\d)?)")))
def test_any_text(text):
    parsed = parse_timestamp(text)
    assert parsed is None or parsed.utcoffset() == timedelta(0)
