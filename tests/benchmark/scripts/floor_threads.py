# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor, with threads: httpx makes exactly the calls that are needed to pause what sleeps, and nothing else.

floor_threads.py WORKFLOW CONCURRENCY
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx


def pause_all(workflow, concurrency):
    """List what sleeps by cursor, then pause it with so many requests under way at once."""
    client = httpx.Client(
        base_url="{}/accounts/{}/workflows/{}".format(os.environ["CLOUDFLARE_BASE_URL"], os.environ["CLOUDFLARE_ACCOUNT_ID"], workflow),
        headers={"Authorization": "Bearer " + os.environ["CLOUDFLARE_API_TOKEN"]},
        limits=httpx.Limits(max_connections=concurrency),
        trust_env=False,
        verify=False,  # plain HTTP on loopback: no certificates to load
    )
    with client, ThreadPoolExecutor(concurrency) as workers:
        ids = []
        query = {"status": "waiting", "per_page": "100"}
        while True:
            page = client.get("/instances", params=query).raise_for_status().json()
            ids += [item["id"] for item in page["result"]]
            cursor = page["result_info"].get("cursor")
            if not cursor:
                break
            query["cursor"] = cursor

        def pause(instance):
            client.patch(f"/instances/{instance}/status", json={"status": "pause"}).raise_for_status()

        for _done in workers.map(pause, ids):
            pass


if __name__ == "__main__":
    pause_all(sys.argv[1], int(sys.argv[2]))
