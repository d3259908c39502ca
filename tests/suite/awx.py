# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX does with its configuration: its files read as text, its injector of credentials, its file of extra variables."""

from __future__ import annotations

import environments
import yaml
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_credential_api import Credential
from awx_plugins.interfaces._temporary_private_inject_api import inject_credential

FOLDER = environments.ROOT / "extensions" / "awx"
PROJECT = FOLDER / "project"


class _Loader(yaml.SafeLoader):
    """Reads a template as the text that AWX gets."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


class _Dumper(yaml.SafeDumper):
    """Marks all text, keys too (awx/main/utils/safe_yaml.py)."""

    def represent_data(self, data):
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


def load(path):
    """What a file of YAML holds, templates as they are written."""
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)


def extra_variables(variables):
    """The text of a job's file of extra variables."""
    return "".join(yaml.dump({name: value}, Dumper=_Dumper, default_flow_style=False) for name, value in variables.items())


def inject(credential_type, folder, **values):
    """The environment that a job gets of a credential, and the one that its page shows."""
    (folder / "env").mkdir(exist_ok=True)
    kind = ManagedCredentialType(
        namespace="cloudflare",
        name=credential_type["name"],
        kind=credential_type["kind"],
        inputs=credential_type["inputs"],
        injectors=credential_type["injectors"],
    )
    environment, shown = {}, {}
    inject_credential(kind, Credential(values), environment, shown, [], str(folder))
    return environment, shown
