# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task in the worker finds around it, and what it leaves behind: nothing."""

from __future__ import annotations

import os
import signal
import warnings
from types import SimpleNamespace

import pytest

from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.surroundings import surroundings


def action(folder, **environment):
    """An action plugin whose task has this `environment:`."""
    return SimpleNamespace(
        _compute_environment_string=lambda out: out.update(environment), _loader=SimpleNamespace(get_basedir=lambda: str(folder))
    )


def test_inside_and_afterwards(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("OLD_VALUE", "before")
    environ, here = dict(os.environ), os.getcwd()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    with surroundings(action(tmp_path, OLD_VALUE="within", NEW_NUMBER=1)):
        assert (os.environ["OLD_VALUE"], os.environ["NEW_NUMBER"]) == ("within", "1")
        assert os.path.realpath(os.getcwd()) == os.path.realpath(tmp_path)
        os.environ["LEFT_BEHIND"] = "yes"
        for number in handlers:
            signal.signal(number, lambda number, frame: None)
        warnings.warn("what a library has to say", stacklevel=1)
    assert dict(os.environ) == environ and os.getcwd() == here
    assert {number: signal.getsignal(number) for number in handlers} == handlers
    assert capfd.readouterr().err == ""


def test_taken_back_where_the_work_fails(tmp_path):
    environ, here = dict(os.environ), os.getcwd()
    with pytest.raises(KeyError), surroundings(action(tmp_path, NEW_NUMBER=1)):
        raise KeyError
    assert dict(os.environ) == environ and os.getcwd() == here
