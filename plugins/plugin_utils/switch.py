# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What turns off that tasks run in ansible-core's worker: a variable of the controller's environment, or one of the play. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean

#: The environment variable; the play's has the same name in small letters.
SWITCH = "EDGEOPS_CLOUDFLARE_RUN_AS"
VARIABLE = SWITCH.lower()


class WrongSwitch(Exception):
    """The switch has another value than it can have; the message says which would be right."""


def turned_off_by(of_environment: t.Any, of_play: t.Any) -> str | None:
    """What turns it off, by its name; None where nothing does.

    Args:
        of_environment, of_play: the values; None or empty where not set.

    Raises:
        WrongSwitch.
    """
    found = None
    for name, value in ((f"the environment variable {SWITCH}", of_environment), (f"the variable {VARIABLE}", of_play)):
        if value not in (None, "", "module"):
            raise WrongSwitch(f"{name} is {clean(repr(value), 40)}; set it to module, to run tasks as modules, or leave it out")
        if value == "module":
            found = found or name
    return found
