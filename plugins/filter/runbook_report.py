# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbook `report` thinks with: what to read, and what that tells."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.types import Json
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook import pages, screen
from ansible_collections.edgeops.cloudflare.plugins.plugin_utils.runbook.report import report


def runbook_report(known: Json) -> Json:
    """The report by what is known so far.

    Args:
        known: see report.report.

    Returns:
        ask: what to read; lines: the report on a screen; page: what the template writes; handed_on: for the jobs that come after.
        mistakes: sentences about what was given; with any, there is nothing else.
    """
    try:
        made = report(known)
    except OptionError as error:
        return {"mistakes": [error.message]}
    return {
        "mistakes": [],
        "ask": made.ask._asdict(),
        "lines": screen.lines(made, known["inputs"].get("html_file")),
        "page": pages.page(made),
        "handed_on": pages.handed_on(made),
    }


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """As ansible-core asks for it."""
        return {"runbook_report": runbook_report}
