# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls the engine's control API from the controller itself: a task of its own for each call would take most of the time.

    lookup('control', path)                      GET
    lookup('control', path, body | to_json)      POST

The answer is decoded; one that is no 2xx, or holds the error of an operation, is an error.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

# Longer than any wait of the engine's own.
TIMEOUT = 120

# The machine's proxies are for the world outside.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LookupModule(LookupBase):
    """See above."""

    def run(self, terms, variables=None, **kwargs):
        """One term or two: the path, and the body as JSON."""
        path, body = str(terms[0]), str(terms[1]).encode() if len(terms) > 1 else None
        request = urllib.request.Request(str(variables["engine_control_url"]) + path, data=body)
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise AnsibleError(f"{path}: {error.read().decode()}") from None
        results = answer.get("results", [])
        failed = [result for result in results if "error" in result]
        if failed:
            raise AnsibleError(f"{path}: {json.dumps(results)}")
        return [answer]
