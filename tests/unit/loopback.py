# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on this machine that answers as a test tells it to, and an adapter that answers without any network."""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
import typing as t
from http.client import RemoteDisconnected

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter


def envelope(result=None, errors=(), messages=(), result_info=None):
    """A body as the API sends it."""
    made = {"success": not errors, "errors": list(errors), "messages": list(messages), "result": result}
    if result_info is not None:
        made["result_info"] = result_info
    return made


class Reply(t.NamedTuple):
    """An answer: its status, its body (JSON-able or bytes) and its headers."""

    status: int = 200
    body: t.Any = None
    headers: dict = {}  # noqa: RUF012  nobody changes it

    def content(self):
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode("utf-8")


def failure(status, code, message="no", **headers):
    """A Reply that tells of an error."""
    return Reply(
        status, envelope(errors=[{"code": code, "message": message}]), {name.replace("_", "-"): value for name, value in headers.items()}
    )


class ScriptedAdapter(BaseAdapter):
    """Answers the calls of a requests session one after the other.

    Args:
        answers: Reply (the last one for good), an exception to raise, or a callable that is given the request and returns either.
    """

    def __init__(self, *answers):
        super().__init__()
        self._answers = list(answers)
        self._builder = HTTPAdapter()
        self._lock = threading.Lock()
        #: list of requests.PreparedRequest.
        self.requests = []
        #: list of dict: the settings that came with each.
        self.settings = []

    def send(self, request, **settings):  # pylint: disable=arguments-differ
        with self._lock:
            self.requests.append(request)
            self.settings.append(settings)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        raw = urllib3.HTTPResponse(body=io.BytesIO(answer.content()), headers=answer.headers, status=answer.status, preload_content=False)
        return self._builder.build_response(request, raw)

    def close(self):
        self._builder.close()


def mount(session, adapter):
    """Have all calls of a session answered by an adapter."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return adapter


class Request(t.NamedTuple):
    """What a LoopbackServer was asked for; headers by their names in lower case."""

    method: str
    target: str
    headers: dict
    body: bytes


def http(reply, length=None):
    """The bytes of a Reply; length: what its Content-Length claims."""
    content = reply.content()
    lines = [f"HTTP/1.1 {reply.status} Whatever", f"Content-Length: {len(content) if length is None else length}"]
    lines += ["{0}: {1}".format(*header) for header in reply.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


class LoopbackServer:
    """A server on 127.0.0.1, on a port of its own.

    Args:
        answer: callable(Request, number) → bytes to send, or a callable that is given the connection and returns whether it stays
            open; number counts the requests from 0.
    """

    def __init__(self, answer):
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        #: list of Request.
        self.requests = []
        #: int: the connections that were made.
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *failed):
        # Closing alone doesn't wake the thread that accepts.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        stays = True
        try:
            with connection, connection.makefile("rb") as stream:
                while stays:
                    request = _read(stream)
                    if request is None:
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                        return
                    with self._lock:
                        number = len(self.requests)
                        self.requests.append(request)
                    answer = self._answer(request, number)
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                    else:
                        stays = answer(connection)
        except OSError:
            pass


def reset(connection):
    """Break a connection off, so that the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


_TLS_HANDSHAKE = b"\x16"


def _read(stream):
    if stream.peek(1)[:1] == _TLS_HANDSHAKE:
        return None  # it has no lines to wait for
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    method, target, _version = first
    headers = {}
    for line in iter(stream.readline, b"\r\n"):
        if not line:
            return None
        name, _colon, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, target, headers, stream.read(int(headers.get("content-length", 0))))


def closed_port():
    """The URL of a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


class Exchanges:
    """Exceptions as the HTTP libraries nest them, by what happened."""

    POOL = urllib3.HTTPSConnectionPool("api.cloudflare.com")

    @classmethod
    def _retried(cls, reason):
        return urllib3.exceptions.MaxRetryError(cls.POOL, "/", reason)

    @classmethod
    def not_connected(cls):
        reason = urllib3.exceptions.NewConnectionError(cls.POOL, "Failed to establish a new connection: [Errno 111] Connection refused")
        return requests.ConnectionError(cls._retried(reason))

    @classmethod
    def not_resolved(cls):
        reason = urllib3.exceptions.NewConnectionError(
            cls.POOL, "Failed to establish a new connection: [Errno -2] Name or service not known"
        )
        reason.__cause__ = socket.gaierror(-2, "Name or service not known")
        return requests.ConnectionError(cls._retried(reason))

    @classmethod
    def connect_timeout(cls):
        return requests.ConnectTimeout(
            cls._retried(urllib3.exceptions.ConnectTimeoutError(cls.POOL, "Connection timed out. (connect timeout=30)"))
        )

    @classmethod
    def proxy(cls):
        reason = urllib3.exceptions.ProxyError(
            "Cannot connect to proxy.", OSError("Tunnel connection failed: 403 http://user:hunter2@proxy.example")
        )
        return requests.exceptions.ProxyError(cls._retried(reason))

    @classmethod
    def lost_behind_proxy(cls):
        error = RemoteDisconnected("Remote end closed connection without response")
        return requests.exceptions.ProxyError(cls._retried(urllib3.exceptions.ProxyError("Cannot connect to proxy.", error)))

    @classmethod
    def read_timeout(cls):
        return requests.ReadTimeout(urllib3.exceptions.ReadTimeoutError(cls.POOL, "/", "Read timed out. (read timeout=30)"))

    @classmethod
    def reset(cls):
        return requests.ConnectionError(
            urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
        )
