# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types that every storey uses."""

from __future__ import annotations

import typing as t

#: An object as JSON has it: of the API, or of the result.
Json = dict[str, t.Any]
