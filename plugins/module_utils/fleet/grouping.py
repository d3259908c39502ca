# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many instances in one sentence: by their reasons, the most frequent first, each with the first few ids. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean, shown_id

_GROUPS_SHOWN = 5
_IDS_SHOWN = 3
_LONGEST_GROUP = 320


def grouped(members: t.Iterable[tuple[str, str]], ids: bool = True) -> str:
    """`3 complete (order-7, order-9, order-31), 1 refused (order-2)`.

    Args:
        members: pairs of a reason and an id.
        ids: whether to name any.
    """
    groups: dict[str, list[str]] = {}
    for reason, instance_id in members:
        groups.setdefault(clean(reason, _LONGEST_GROUP), []).append(instance_id)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    shown = [f"{len(found):,} {reason}" + (f" ({_ids(found)})" if ids else "") for reason, found in ordered[:_GROUPS_SHOWN]]
    if len(ordered) > _GROUPS_SHOWN:
        shown.append(f"{sum(len(found) for _reason, found in ordered[_GROUPS_SHOWN:]):,} for other reasons")
    return ", ".join(shown)


def _ids(found: list[str]) -> str:
    shown = ", ".join(shown_id(instance_id) for instance_id in found[:_IDS_SHOWN])
    return shown if len(found) <= _IDS_SHOWN else f"{shown} and {len(found) - _IDS_SHOWN:,} more in instances"
