# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids of new instances, types of events, and times for which they are kept."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.instance.names import check_event_type, check_new_id, check_retention
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row


def refusal(check, *arguments):
    with pytest.raises(OptionError) as caught:
        check(*arguments)
    return caught.value.message


@each_row("value", ["a", "order-1", "_x", "0123", "a" * 100, "A-b_C"])
def test_good_ids(value):
    check_new_id("instance_id", value)
    check_event_type(value)


@each_row("value", ["", "-a", "a b", "a.b", "é", "a/b", "a" * 101, "a\n", " a"])
def test_bad_ids(value):
    assert refusal(check_new_id, "instance_id", value).startswith("instance_id ")
    assert refusal(check_event_type, value).startswith("event_type ")


@each_row("value", ["batch", "terminate", "terminateAll", "cf_" + "0" * 64])
def test_ids_that_the_api_keeps_for_itself(value):
    assert "keeps for itself" in refusal(check_new_id, "instance_id", value)


@each_row("value", ["0", "86400000", "3 days", "1 day", "12   hours"])
def test_good_times(value):
    check_retention("retention.error_retention", value)


@each_row("value", ["", "3days", "1.5 days", "soon", "-1", "3 fortnights", "1" * 16])
def test_bad_times(value):
    assert refusal(check_retention, "retention.error_retention", value).startswith("retention.error_retention must be milliseconds")
