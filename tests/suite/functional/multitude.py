# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that claims to have any number of instances, for what the engine is too small for: only memory is measured on it.

It lists them by cursors, a hundred a page, and accepts a pause of each.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading

PAGE = 100

_REQUEST = re.compile(rb"(?P<method>[A-Z]+) (?P<path>[^ ]+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CURSOR = re.compile(rb"[?&]cursor=(\d+)")
_PAUSED = {"status": "paused", "timestamp": "2026-08-06T03:12:07.000Z"}


def _answer(result, **more):
    body = json.dumps({"success": True, "errors": [], "messages": [], "result": result, **more}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _item(number):
    return {
        "id": f"order-{number:08d}-5f0d7a52-3c4e-4c54-9d0e",
        "status": "waiting",
        "created_on": "2026-08-06T01:00:00.000000Z",
        "modified_on": "2026-08-06T01:00:01.000000Z",
        "started_on": "2026-08-06T01:00:00.500000Z",
        "ended_on": None,
        "version_id": "11111111-2222-4333-8444-555555555555",
        "workflow_id": "66666666-7777-4888-8999-000000000000",
        "trigger_source": "api",
    }


class Multitude:
    """Serves `count` instances as long as the context lasts; `url`, `lists` and `patches` (how many of each were answered)."""

    def __init__(self, count):
        self.count = count
        self.lists = self.patches = 0
        self._loop = asyncio.new_event_loop()
        self._paused = _answer(_PAUSED)

    def __enter__(self):
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        assert started.wait(60)
        return self

    def __exit__(self, *unused):
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/client/v4"
        started.set()
        self._loop.run_forever()
        server.close()

    async def _serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                if length:
                    await reader.readexactly(int(length.group(1)))
                writer.write(self._respond(_REQUEST.match(head)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _respond(self, request):
        if request["method"] == b"PATCH":
            self.patches += 1
            return self._paused
        self.lists += 1
        cursor = _CURSOR.search(request["path"])
        start = int(cursor.group(1)) if cursor else 0
        end = min(start + PAGE, self.count)
        info = {"count": end - start, "per_page": PAGE, "total_count": self.count}
        if end < self.count:
            info["cursor"] = str(end)
        return _answer([_item(number) for number in range(start, end)], result_info=info)
