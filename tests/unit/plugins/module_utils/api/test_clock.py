# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.clock import Clock


def test_it_never_goes_back():
    clock = Clock()
    moments = [clock.monotonic() for _look in range(100)]
    assert moments == sorted(moments)


def test_it_sleeps():
    clock = Clock()
    began = time.monotonic()
    clock.sleep(0.02)
    assert time.monotonic() - began >= 0.015
    clock.sleep(0)
    clock.sleep(-600)
    assert time.monotonic() - began < 300


def test_a_wake_ends_every_sleep():
    """Of all threads, now and to come."""
    clock = Clock()
    began = time.monotonic()
    sleepers = [threading.Thread(target=clock.sleep, args=(600,), daemon=True) for _sleeper in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    clock.wake()
    for sleeper in sleepers:
        sleeper.join(60)
    clock.sleep(600)
    assert not any(sleeper.is_alive() for sleeper in sleepers)
    assert time.monotonic() - began < 300
