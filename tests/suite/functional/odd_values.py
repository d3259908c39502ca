# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that were trouble in one program or another."""

from __future__ import annotations

import math

CRON_ID = "*/30 * * * *-1786001400000"

STRINGS = [
    "", " ", "\t\n", "\x00", "a\x00b", "\x1b[31m", "a\nb", "\r\n",
    "\ud800", "a\udfffb", "\u202e", "\u2028", "\ufeff", "é", "e\u0301", "日本語", "😀",
    ".", "..", "../..", "a/../b", "/", "//", "a/b", "..\\", "%2e%2e", "%00", "%", "?x=1", "a#b", "a;b", "a&b", "~",
    "~nobody/x", "$HOME", "*", "[", "[!", "[z-a]", "[]", "{}",
    "{'a': 1}", '{"name": "x"}', "name=x count=2", "a=", "=", ",", "a,b", ",,", "{ x }", "{1}", "${x}", "`id`", "'", '"',
    "-1", "0", "1", "1.5", "1e309", "-1e309", "nan", "NaN", "inf", "-inf", "Infinity", "0x10", "1_000", "٣", "1" * 40, "true", "yes", "no", "None", "null",
    "errored", "Errored", "errored ", "running", "do", "cron", "restarted", CRON_ID,
    "2026-08-06T03:00:00Z", "2026-08-06", "2026-13-01T00:00:00Z", "2026-08-06T25:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2026-08-06T03:00:00", "2026-08-06T03:00:00.123456789Z", "2026-08-06T03:00:60Z", "２０２６-08-06T03:00:00Z",
    "http://example.com", "https://example.com", "https://", "https://a:b@example.com", "https://example.com?x", "https://example.com:0",
    "https://example.com:99999", "https://[::1", "https://*.example.com", "https://a..b", "https://" + "a" * 70 + ".com",
    "http://127.0.0.1", "http://localhost", "http://127.0.0.1.example.com", "http://0.0.0.0", "http://2130706433", "http://[::ffff:127.0.0.1]",
    "file:///etc/passwd",
    "ftp://127.0.0.1", "javascript:1", "https://exam ple.com",
    "https://example.com/\x00", "https://example.com/\ud800", "https://ex\u00e4mple.com", "/", "/etc/hosts", "/nowhere/at/all",
    "a" * 64, "a" * 65, "a" * 256, "a" * 257, "a" * 271, "a" * 272, "a" * 100000,
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2, 64, 65, 100, 101, 1000, 2 ** 31, 2 ** 63, -(2 ** 63), 10 ** 30, 10 ** 400, -(10 ** 400), True, False,
    0.0, -0.0, 0.1, 0.5, 0.9, 0.91, 1.5, 1e-320, -1e-320, 1e15, 1e308, math.nan, math.inf, -math.inf,
]  # fmt: skip
NESTED = [
    [], {}, [[]], [{}], [None], [None, None], ["a", None], ["a", ["b"]], {"a": None}, {"": ""}, {"status": {}},
    [0, "0", 0.0, False], [True], [math.nan], ["\ud800"],
    ["a", "a"], ["."], [""], [CRON_ID], ["errored"], ["errored", "errored"], ["errored", 1], {"name": "x"}, {"name": "x", "count": 1, "type": "do"},
    {"name": None}, {"name": "x", "other": 1}, {"status": ["errored"]}, {"status": "errored,complete"}, {"status": []}, {"id_glob": "*"}, {"no_such": 1},
    ["a"] * 1000, {"name": ["x"]}, {"name": {"a": 1}},
]  # fmt: skip
