# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Whose account, with which credentials, at which server: shared by all modules (`module_utils/auth.py`)."""

    DOCUMENTATION = r"""
options:
  api_token:
    description:
      - An API token of Cloudflare that may edit Workers Scripts in the account.
      - If not given, the environment variable E(CLOUDFLARE_API_TOKEN) is used, unless O(api_email) or O(api_key) is given.
      - Give either a token, or O(api_email) with O(api_key). Where only the environment holds both, the token is used.
    type: str
    version_added: 0.1.0
  api_email:
    description:
      - The email address of the user to whom O(api_key) belongs.
      - If not given, the environment variable E(CLOUDFLARE_EMAIL) is used, unless O(api_token) is given.
    type: str
    version_added: 0.1.0
  api_key:
    description:
      - The global API key of that user. A token can be limited to what is needed and is the better choice.
      - If not given, the environment variable E(CLOUDFLARE_API_KEY) is used, unless O(api_token) is given.
    type: str
    version_added: 0.1.0
  account_id:
    description:
      - The id of the account that the workflow belongs to.
      - If not given, the environment variable E(CLOUDFLARE_ACCOUNT_ID) is used.
      - Required, except for a development session on this machine (see O(api_url)).
    type: str
    version_added: 0.1.0
  api_url:
    description:
      - The base URL of the API.
      - If not given, the environment variable E(CLOUDFLARE_BASE_URL) or else E(CLOUDFLARE_API_BASE_URL) is used,
        and without these the public API, V(https://api.cloudflare.com/client/v4).
      - A URL on this machine (V(localhost), V(127.0.0.0/8), V([::1])) is a development session, as C(wrangler dev) offers at
        V(http://localhost:8787/cdn-cgi/local/explorer/api). There, plain http is allowed, the account and the credentials
        may be left out, and proxies are ignored. Any other URL must use https.
    type: str
    version_added: 0.1.0
  api_timeout:
    description:
      - How many seconds to wait for a connection, for an answer, and for the rest of an answer, 0.1 to 3600.
    type: float
    default: 30
    version_added: 0.1.0
  api_retries:
    description:
      - How often a call is repeated after a failure that may pass, 0 to 100.
      - A call whose answer was lost is repeated only where doing it twice is the same as doing it once. Calls refused by the
        rate limit are not counted here.
    type: int
    default: 4
    version_added: 0.1.0
  validate_certs:
    description:
      - Whether to verify the server's certificate. Switch it off for tests only.
    type: bool
    default: true
    version_added: 0.1.0
  ca_path:
    description:
      - A file of CA certificates, or a folder of them, to verify the server's certificate with.
      - If not given, the environment variable E(REQUESTS_CA_BUNDLE) is used, and without it the certificates that the
        Python library C(requests) brings.
    type: path
    version_added: 0.1.0
requirements:
  - requests >= 2.25
notes:
  - The environment variables are read where the module runs. That is the managed node or the execution environment,
    not the controller.
  - An empty value counts as not given, in the task and in the environment.
  - The module talks to Cloudflare and not to the host it runs on. Run it in a play of its own on V(localhost). C(run_once) is no
    cure in a play over several hosts, since it runs once for each batch of C(serial), and for each host with the strategies
    C(free) and C(host_pinned).
  - C(until) with C(retries) runs the whole task again. What must not happen twice needs C(when_status) then.
"""
