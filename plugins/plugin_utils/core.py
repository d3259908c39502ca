# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs from one ansible-core to the next, in one place: how arguments reach a module, and how its result comes back."""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible import constants as C  # noqa: N812  as everybody calls them
from ansible.errors import AnsibleError
from ansible.module_utils.common import json as core_json

_MODULE_ERROR: t.Any = None
with contextlib.suppress(ImportError, AttributeError):
    from ansible._internal._errors import _captured

    _MODULE_ERROR = _captured.AnsibleModuleCapturedError


def arguments_of_a_module(args: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A task's arguments as its module would get them: marks and tags gone, vaulted text decrypted, dates as text."""
    if hasattr(core_json, "get_module_encoder"):  # since 2.19
        direction = core_json.Direction.CONTROLLER_TO_MODULE
        written = json.dumps(dict(args), cls=core_json.get_module_encoder("legacy", direction))
        read: dict[str, t.Any] = json.loads(written, cls=core_json.get_module_decoder("legacy", direction))
        return read
    older: dict[str, t.Any] = json.loads(json.dumps(dict(args), cls=core_json.AnsibleJSONEncoder, vault_to_text=True))
    return older


def tells_invocation(task_vars: t.Mapping[str, t.Any]) -> bool:
    """Whether results tell the options of their task: always before 2.21, and by a setting since."""
    try:
        return bool(C.config.get_config_value("INJECT_INVOCATION", variables=task_vars))
    except (AnsibleError, KeyError):
        return True


def keeps_remote_files() -> bool:
    """Whether what a module leaves is kept to be looked at."""
    return bool(C.DEFAULT_KEEP_REMOTE_FILES)


def interpreter(variables: t.Mapping[str, t.Any]) -> t.Any:
    """The Python for modules, as it was set: a path, a template, or a way to find one."""
    return C.config.get_config_value("INTERPRETER_PYTHON", variables=variables)


def as_of_a_module(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """A result as it comes back from a module: its texts are never taken for templates, and its failure is called a module's.

    Texts are marked before 2.19, and unmarked since. 2.19 and 2.20 keep the failure itself in the result.
    """
    if hasattr(core_json, "get_module_encoder"):
        if _MODULE_ERROR is not None:
            _MODULE_ERROR.normalize_result_exception(result)
        return result
    from ansible.utils.unsafe_proxy import wrap_var  # noqa: PLC0415  newer ones have it for compatibility only

    wrapped: dict[str, t.Any] = wrap_var(result)
    return wrapped
