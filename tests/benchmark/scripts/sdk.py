# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The official SDK as its readme shows it: one list, then one call after the other.

sdk.py WORKFLOW
"""

from __future__ import annotations

import os
import sys

from cloudflare import Cloudflare


def pause_all(workflow):
    """Pause what sleeps. The address and the token are taken from the environment by the SDK itself."""
    client = Cloudflare()
    account = os.environ["CLOUDFLARE_ACCOUNT_ID"]
    # Taken whole before anything is changed: the SDK pages by number, and what is paused leaves the listing.
    sleeping = list(client.workflows.instances.list(workflow, account_id=account, status="waiting", per_page=100))
    for instance in sleeping:
        client.workflows.instances.status.edit(instance.id, account_id=account, workflow_name=workflow, status="pause")


if __name__ == "__main__":
    pause_all(sys.argv[1])
