# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module's process has around it, made in the worker and taken back: environment, working folder, signals, silence on stderr."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t
import warnings

#: What a task may take as the wish to end.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)

#: A context manager that is entered once.
Surroundings = t.ContextManager[None]


def surroundings(action: t.Any) -> Surroundings:
    """The surroundings of this action's task; whatever ansible-core has to be asked for is asked for now."""
    environment: dict[str, t.Any] = {}
    action._compute_environment_string(environment)
    return _surrounded({name: str(value) for name, value in environment.items()}, action._loader.get_basedir())


@contextlib.contextmanager
def _surrounded(environment: dict[str, str], folder: str) -> t.Iterator[None]:
    environ, here = dict(os.environ), os.getcwd()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    os.environ.update(environment)
    os.chdir(folder)
    try:
        # What a library warns of would reach the screen as an error of ansible-core's, or as noise.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        os.chdir(here)
        os.environ.clear()
        os.environ.update(environ)
