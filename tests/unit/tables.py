# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of what goes in and what must come out, each checked by one test."""

from __future__ import annotations

import functools
import inspect

import pytest

from ansible_collections.edgeops.cloudflare.tests.unit.fakes import FakeClock


def each_row(names, rows):
    """Check a function with every row of a table, in one test that tells all rows that fail.

    As `pytest.mark.parametrize`, but for checks so quick that a process of its own for each of them (as ansible-test has it)
    would cost more than the check. Fixtures are shared by all rows, but for `clock`: each row has a new one.

    Args:
        names: str, the function's arguments that a row fills in, separated by commas.
        rows: iterable of tuple (of plain values for a single name), or of pytest.param with an id.
    """
    names, rows = [name.strip() for name in names.split(",")], list(rows)
    assert rows, "an empty table checks nothing"

    def decorate(check):
        signature = inspect.signature(check)
        needs_clock = "clock" in signature.parameters

        @functools.wraps(check)
        def all_rows(**fixtures):
            failed = []
            for row in rows:
                about, values = _about_and_values(row, names)
                given = dict(fixtures, **dict(zip(names, values)))
                if needs_clock:
                    given["clock"] = FakeClock()
                try:
                    check(**given)
                except (Exception, pytest.fail.Exception) as error:  # pylint: disable=broad-except
                    failed.append(f"{about}:\n{type(error).__name__}: {error}")
            if failed:
                pytest.fail("{0} of the rows fail\n\n{1}".format(len(failed), "\n\n".join(failed)), pytrace=False)

        rest = [parameter for parameter in signature.parameters.values() if parameter.name not in [*names, "clock"]]
        all_rows.__signature__ = signature.replace(parameters=rest)
        return all_rows

    return decorate


def _about_and_values(row, names):
    """What to call a row, and its values."""
    if isinstance(row, type(pytest.param())):
        return row.id or repr(row.values), row.values
    values = row if len(names) > 1 else (row,)
    assert len(values) == len(names), f"the table is ragged: {row!r}"
    return ", ".join(f"{name}={value!r}" for name, value in zip(names, values))[:300], values
