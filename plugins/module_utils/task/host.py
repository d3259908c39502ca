# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task needs of whoever runs it: a module process, or ansible-core's worker. The work knows neither."""

from __future__ import annotations

import typing as t

#: The result of a task, as ansible-core takes it; with `failed` where it failed.
Result = dict[str, t.Any]


class Listener(t.Protocol):
    """The other end of a run."""

    @property
    def signals(self) -> t.Mapping[str, str]:
        """Names of signals by which it says, besides the usual ones, that it stops listening, each with the words for that."""

    def gone(self) -> str | None:
        """Why nobody listens any more; None while somebody does."""


class Host(t.Protocol):
    """Whoever runs a task."""

    @property
    def params(self) -> t.Mapping[str, t.Any]:
        """The task's options, validated and with their defaults."""

    @property
    def check_mode(self) -> bool:
        """Whether nothing may be changed."""

    @property
    def diff_mode(self) -> bool:
        """Whether the result tells the instances before and after."""

    @property
    def core_version(self) -> str:
        """The version of ansible-core, for the User-Agent."""

    @property
    def listener(self) -> Listener:
        """Tells whether anybody still waits for the result."""

    @property
    def shows_lines(self) -> bool:
        """Whether `show` can show anything."""

    @property
    def verbosity(self) -> int:
        """How many -v were given."""

    def protect(self, secrets: t.Iterable[str]) -> None:
        """Keep these values out of everything that is shown."""

    def warn(self, text: str) -> None:
        """Show a warning to the user."""

    def log(self, text: str) -> None:
        """Write to the system's log."""

    def show(self, line: str) -> None:
        """Show a line while the task runs, where this host can."""


class Task(t.Protocol):
    """What each module's room in this storey offers; the room itself is one."""

    def argument_spec(self) -> dict[str, t.Any]:
        """The whole argument spec, as AnsibleModule takes it."""

    def misfit(self, raw: t.Mapping[str, t.Any]) -> str | None:
        """What is wrong with the arguments as written, before ansible-core has looked at them; None where nothing is."""

    def harm_of_retries(self, params: t.Mapping[str, t.Any]) -> str | None:
        """What `until` or `retries` around such a task may do twice, and what helps; None where trying again does no harm."""

    def perform(self, host: Host) -> Result:
        """Do the task; never raises."""
