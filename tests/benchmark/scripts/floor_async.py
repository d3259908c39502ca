# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor, with asyncio: httpx makes exactly the calls that are needed to pause what sleeps, and nothing else.

floor_async.py WORKFLOW CONCURRENCY
"""

from __future__ import annotations

import asyncio
import os
import sys

import httpx


async def pause_all(workflow, concurrency):
    """List what sleeps by cursor, then pause it with so many requests under way at once."""
    client = httpx.AsyncClient(
        base_url="{}/accounts/{}/workflows/{}".format(os.environ["CLOUDFLARE_BASE_URL"], os.environ["CLOUDFLARE_ACCOUNT_ID"], workflow),
        headers={"Authorization": "Bearer " + os.environ["CLOUDFLARE_API_TOKEN"]},
        limits=httpx.Limits(max_connections=concurrency),
        trust_env=False,
        verify=False,  # plain HTTP on loopback: no certificates to load
    )
    async with client:
        ids = []
        query = {"status": "waiting", "per_page": "100"}
        while True:
            page = (await client.get("/instances", params=query)).raise_for_status().json()
            ids += [item["id"] for item in page["result"]]
            cursor = page["result_info"].get("cursor")
            if not cursor:
                break
            query["cursor"] = cursor
        left = iter(ids)

        async def work():
            for instance in left:
                (await client.patch(f"/instances/{instance}/status", json={"status": "pause"})).raise_for_status()

        await asyncio.gather(*(work() for _number in range(concurrency)))


if __name__ == "__main__":
    asyncio.run(pause_all(sys.argv[1], int(sys.argv[2])))
