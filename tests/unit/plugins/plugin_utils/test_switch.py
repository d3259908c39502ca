# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What turns off that tasks run in the worker."""

from __future__ import annotations

import pytest

from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.switch import WrongSwitch, turned_off_by


@pytest.mark.parametrize(
    ("of_environment", "of_play", "by"),
    [
        (None, None, None),
        ("", "", None),
        ("module", None, "the environment variable EDGEOPS_CLOUDFLARE_RUN_AS"),
        (None, "module", "the variable edgeops_cloudflare_run_as"),
        ("module", "module", "the environment variable EDGEOPS_CLOUDFLARE_RUN_AS"),
    ],
)
def test_by_what(of_environment, of_play, by):
    assert turned_off_by(of_environment, of_play) == by


@pytest.mark.parametrize(("of_environment", "of_play"), [("worker", None), (None, "Module"), (None, True), ("module", "no"), (None, 0)])
def test_another_value_is_an_error(of_environment, of_play):
    with pytest.raises(WrongSwitch, match="set it to module, to run tasks as modules, or leave it out"):
        turned_off_by(of_environment, of_play)
