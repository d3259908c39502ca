# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on this machine that a call must not reach, or cannot use: places to be redirected to, proxies, dead ends."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

import requests


class Listener:
    """Answers every connection with the same bytes; `heard` is all that was said to it, bytes."""

    def __init__(self, answer=b""):
        self.heard = b""
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(2)
                    self.heard += connection.recv(65536)
                    connection.sendall(self._answer)

    def close(self):
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextlib.contextmanager
def listener(answer=b""):
    """A Listener for a while."""
    server = Listener(answer)
    try:
        yield server
    finally:
        server.close()


class Tunnel(Listener):
    """A proxy whose tunnels all lead to one port of this machine, whatever place was asked for. Resets are passed on as such."""

    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        super().__init__(b"HTTP/1.1 200 Connection established\r\n\r\n")

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._socket.accept()
                self.heard += connection.recv(65536)
                connection.sendall(self._answer)
                target = socket.create_connection(self._target)
                for ends in ((connection, target), (target, connection)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    @staticmethod
    def _carry(source, target):
        with contextlib.suppress(OSError):
            try:
                while data := source.recv(65536):
                    target.sendall(data)
            except ConnectionResetError:
                target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                target.shutdown(socket.SHUT_RD)  # wakes the other thread, which would keep it open
                target.close()
            else:
                target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def tunnel(port):
    """A Tunnel for a while."""
    proxy = Tunnel(port)
    try:
        yield proxy
    finally:
        proxy.close()


@contextlib.contextmanager
def closed_port():
    """A port of this machine at which nobody listens, as a base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound, so that nobody else gets it, but not listening
        yield f"http://127.0.0.1:{probe.getsockname()[1]}"


@contextlib.contextmanager
def deaf_port():
    """A port at which connections are never taken, as a base URL: its queue is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _connection in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def lead_astray(monkeypatch, method, base, times=None, skip=0):
    """Let the calls of one method go to another place: `times` of them or all, after the first `skip`.

    What then happens is what really happens there: the HTTP library fails by itself.

    Returns:
        list: grows by one for each call that was led astray.
    """
    seen, astray = [], []
    send = requests.adapters.HTTPAdapter.send

    def send_elsewhere(adapter, request, **options):
        if request.method == method:
            seen.append(request.url)
            if len(seen) > skip and (times is None or len(astray) < times):
                astray.append(request.url)
                request.url = base + "/elsewhere"
        return send(adapter, request, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send_elsewhere)
    return astray
