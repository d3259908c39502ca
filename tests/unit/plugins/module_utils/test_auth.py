# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose account, with which credentials, at which server: every combination of what is given and what is not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.edgeops.cloudflare.plugins.module_utils import auth
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.connection import Credentials
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.auth import PUBLIC_API, resolve
from ansible_collections.edgeops.cloudflare.tests.unit.tables import each_row

DEVELOPMENT = "http://localhost:8787/cdn-cgi/explorer/api"
VARIABLES = {"api_token": "CLOUDFLARE_API_TOKEN", "api_email": "CLOUDFLARE_EMAIL", "api_key": "CLOUDFLARE_API_KEY"}
WAYS = "give api_token (or CLOUDFLARE_API_TOKEN), or api_email and api_key (or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY)"


def params(**given_):
    """The connection options as AnsibleModule makes them."""
    made = {name: option.get("default") for name, option in auth.argument_spec().items()}
    made["account_id"] = "0123456789abcdef"
    made.update(given_)
    return made


def refusal(environ=None, **given_):
    """The message with which options are refused."""
    with pytest.raises(OptionError) as caught:
        resolve(params(**given_), environ or {})
    return caught.value.message


# -- credentials --------------------------------------------------------------------------------------------------

# t, e, k: token, email and key given in the task; T, E, K: in the environment. What is used, or which option is amiss.
COMBINATIONS = {
    "": "none", "t": "t", "e": "api_key", "k": "api_email", "ek": "ek",
    "te": "both", "tk": "both", "tek": "both",
    "T": "T", "E": "api_key", "K": "api_email", "EK": "EK", "TE": "T", "TK": "T", "TEK": "T",
    "tT": "t", "tE": "t", "tK": "t", "tEK": "t", "tTEK": "t", "tTE": "t", "tTK": "t",
    "eT": "api_key", "eE": "api_key", "eK": "eK", "eEK": "eK", "eTE": "api_key", "eTK": "eK", "eTEK": "eK",
    "kT": "api_email", "kE": "Ek", "kK": "api_email", "kEK": "Ek", "kTE": "Ek", "kTK": "api_email", "kTEK": "Ek",
    "ekT": "ek", "ekE": "ek", "ekK": "ek", "ekEK": "ek", "ekTE": "ek", "ekTK": "ek", "ekTEK": "ek",
}  # fmt: skip
# Both kinds in the task, whatever the environment holds.
for task_, environment_ in itertools.product(("te", "tk", "tek"), ("T", "E", "K", "TE", "TK", "EK", "TEK")):
    COMBINATIONS[task_ + environment_] = "both"

SECRETS = {
    "t": "task-token-0001-abcdefgh",
    "e": "task@example.com",
    "k": "task-key-0001-abcdefgh",
    "T": "environment-token-0001",
    "E": "environment@example.com",
    "K": "environment-key-0001",
}
FIELDS = {"t": "token", "e": "email", "k": "key"}
MESSAGES = {
    "none": f"no credentials: {WAYS}",
    "both": f"api_token and api_email/api_key are both given; {WAYS}, not both kinds",
    "api_key": f"api_key is missing: api_email and api_key go together; {WAYS}",
    "api_email": f"api_email is missing: api_email and api_key go together; {WAYS}",
}


def sources(combination, blank):
    """Task and environment of a combination; what is not given is absent, or a blank."""
    task, environ = {}, {}
    for letter, option in (("t", "api_token"), ("e", "api_email"), ("k", "api_key")):
        task[option] = SECRETS[letter] if letter in combination else blank
        if letter.upper() in combination:
            environ[VARIABLES[option]] = SECRETS[letter.upper()]
        elif blank is not None:
            environ[VARIABLES[option]] = blank
    return task, environ


def test_every_combination_is_in_the_table():
    wanted = {
        "".join(letter for letter, isgiven in zip("tekTEK", chosen) if isgiven) for chosen in itertools.product((True, False), repeat=6)
    }
    assert set(COMBINATIONS) == wanted


@pytest.mark.parametrize("blank", [None, "", "  "], ids=["absent", "empty", "blank"])
@pytest.mark.parametrize("is_loopback", [False, True], ids=["public", "development"])
def test_credentials(blank, is_loopback):
    for combination, used in COMBINATIONS.items():
        task, environ = sources(combination, blank)
        if is_loopback:
            task["api_url"] = DEVELOPMENT
        if used == "none" and is_loopback:
            assert resolve(params(**task), environ).credentials == Credentials()
        elif used in MESSAGES:
            assert refusal(environ, **task) == MESSAGES[used], combination
        else:
            expected = Credentials(**{FIELDS[letter.lower()]: SECRETS[letter] for letter in used})
            assert resolve(params(**task), environ).credentials == expected, combination


def test_no_message_holds_a_secret():
    for combination, used in COMBINATIONS.items():
        if used in MESSAGES and combination:
            task, environ = sources(combination, None)
            message = refusal(environ, **task)
            assert not [secret for secret in SECRETS.values() if secret in message]


@each_row("value", ["Bearer to\nken-0001", "token\x00-0001", "tökén-0001", "token\x7f-0001", "to\r\nX-Evil: ken"])
@each_row("option", ["api_token", "api_key", "api_email"])
def test_what_no_header_can_hold(option, value):
    given_ = {"api_email": "ops@example.com", "api_key": "key-0001-abcdefgh"} if option != "api_token" else {}
    given_[option] = value
    assert refusal(**given_) == f"{option} contains characters that no credential has; check how it was pasted"
    assert refusal({VARIABLES[name]: text for name, text in given_.items()}).startswith(VARIABLES[option])


#: What is no credential at all: (value, what the sentence says of it)
NO_CREDENTIALS = [
    ("Bearer abcdefghijklmnopqrstuvwxyz", " begins with 'Bearer', which is no part of a token; give what follows it"),
    ("bearer\tabcdefghijklmnopqrstuvwxyz", " contains characters that no credential has; check how it was pasted"),
    ("Authorization: Bearer abcdefghijklmnop", " begins with 'Authorization', which is no part of a token; give what follows it"),
    ('"abcdefghijklmnopqrstuvwxyz"', " contains quotes, which no credential has; give what is between them"),
    ("\u201cabcdefghijklmnopqrstuvwxyz\u201d", " contains quotes, which no credential has; give what is between them"),
    ("abcdefghijklm nopqrstuvwxyz", " contains blanks, which no credential has; check how it was pasted"),
    ("t", " has 1 characters, and a credential of Cloudflare has 16 or more; check how it was pasted"),
]


@each_row("value, says", NO_CREDENTIALS)
@each_row("option", ["api_token", "api_key"])
def test_what_is_no_credential(option, value, says):
    given_ = {"api_email": "ops@example.com", option: value} if option == "api_key" else {option: value}
    assert refusal(**given_) == option + says
    assert refusal({VARIABLES[name]: text for name, text in given_.items()}) == VARIABLES[option] + says


def test_a_dummy_in_a_development_session():
    """Masking it would eat every letter of the result."""
    assert refusal(api_url=DEVELOPMENT, api_token="dummy").endswith("; a development session needs none: leave it out")


def test_surrounding_blanks_are_dropped():
    assert resolve(params(api_token=" token-0001-abcdefgh\n"), {}).credentials.token == "token-0001-abcdefgh"
    assert resolve(params(), {"CLOUDFLARE_API_TOKEN": "\ttoken-0001-abcdefgh "}).credentials.token == "token-0001-abcdefgh"


def test_headers_and_secrets():
    token, pair = Credentials(token="t0001"), Credentials(email="ops@example.com", key="k0001")
    assert token.headers() == {"Authorization": "Bearer t0001"}
    assert pair.headers() == {"X-Auth-Email": "ops@example.com", "X-Auth-Key": "k0001"}
    assert Credentials().headers() == {}
    assert token.secrets() == ["t0001"]
    assert pair.secrets() == ["k0001"], "an email opens nothing, and may be part of an id"
    assert token.masked(b'{"message": "no t0001"}') == b'{"message": "no ********"}'
    assert Credentials().secrets() == []


# -- account ------------------------------------------------------------------------------------------------------


@each_row(
    "option, variable, account",
    [
        ("task-account", None, "task-account"),
        ("task-account", "environment-account", "task-account"),
        (None, "environment-account", "environment-account"),
        ("", "environment-account", "environment-account"),
        ("  ", " environment-account ", "environment-account"),
    ],
)
def test_account(option, variable, account):
    environ = {"CLOUDFLARE_ACCOUNT_ID": variable} if variable else {}
    assert resolve(params(api_token="token-0001-abcdefgh", account_id=option), environ).account_id == account


@each_row("option, environ", [(None, {}), ("", {}), (" ", {"CLOUDFLARE_ACCOUNT_ID": ""})])
def test_account_missing(option, environ):
    expected = "account_id is missing: give the option account_id or set CLOUDFLARE_ACCOUNT_ID"
    assert refusal(environ, api_token="token-0001-abcdefgh", account_id=option) == expected
    assert resolve(params(api_url=DEVELOPMENT, account_id=option), environ).account_id is None


@each_row("account", [".", "..", "a" * 65, "a\nb", "a\x00b", "a/b", "a b"])
def test_account_that_is_none(account):
    message = refusal(api_token="token-0001-abcdefgh", account_id=account)
    assert message.startswith("account_id (from account_id) is '") and message.endswith("copy it from the account's page")
    assert "(from CLOUDFLARE_ACCOUNT_ID)" in refusal({"CLOUDFLARE_ACCOUNT_ID": account}, api_token="token-0001-abcdefgh", account_id=None)


def test_where_it_was_found_is_kept():
    connection = resolve(params(api_token="token-0001-abcdefgh"), {})
    assert (connection.credentials_from, connection.account_from) == ("api_token", "account_id")
    environ = {"CLOUDFLARE_EMAIL": "ops@example.com", "CLOUDFLARE_API_KEY": "key-0001-abcdefgh", "CLOUDFLARE_ACCOUNT_ID": "0123"}
    connection = resolve(params(account_id=None), environ)
    assert (connection.credentials_from, connection.account_from) == ("CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID")


# -- server -------------------------------------------------------------------------------------------------------


@each_row(
    "option, environ, url",
    [
        (None, {}, PUBLIC_API),
        ("", {}, PUBLIC_API),
        (" ", {"CLOUDFLARE_BASE_URL": ""}, PUBLIC_API),
        (None, {"CLOUDFLARE_BASE_URL": "https://one.example/v4"}, "https://one.example/v4"),
        (None, {"CLOUDFLARE_API_BASE_URL": "https://two.example/v4"}, "https://two.example/v4"),
        (None, {"CLOUDFLARE_BASE_URL": "https://one.example", "CLOUDFLARE_API_BASE_URL": "https://two.example"}, "https://one.example"),
        (None, {"CLOUDFLARE_BASE_URL": " ", "CLOUDFLARE_API_BASE_URL": "https://two.example"}, "https://two.example"),
        ("https://zero.example", {"CLOUDFLARE_BASE_URL": "https://one.example"}, "https://zero.example"),
        ("https://zero.example/v4/", {}, "https://zero.example/v4"),
        ("https://zero.example:8443/v4///", {}, "https://zero.example:8443/v4"),
        ("HTTPS://Zero.Example/v4", {}, "HTTPS://Zero.Example/v4"),
    ],
)
def test_url(option, environ, url):
    connection = resolve(params(api_token="token-0001-abcdefgh", api_url=option), environ)
    assert (connection.api_url, connection.is_loopback) == (url, False)


@each_row("host", [
    "localhost", "LocalHost", "localhost.", "127.0.0.1", "127.1.2.3", "127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]",
])  # fmt: skip
@each_row("scheme", ["http", "https"])
def test_loopback(scheme, host):
    for url in (f"{scheme}://{host}", f"{scheme}://{host}:8787/api"):
        connection = resolve(params(api_url=url, account_id=None), {})
        assert connection.is_loopback
        assert connection.credentials == Credentials()
        assert connection.account_id is None


CLEAR = (
    "api_url must use https: a token is never sent in the clear; plain http is for a development session on localhost, 127.0.0.0/8 or [::1]"
)


@each_row("host", [
    "api.cloudflare.com", "localhost.example.com", "sub.localhost", "localhost.localdomain", "127.0.0.1.example.com", "127.1",
    "0x7f.0.0.1", "2130706433", "0177.0.0.1", "0.0.0.0", "10.0.0.1", "128.0.0.1", "[::]", "[fe80::1]", "[::2]", "localhost%2e.example.com",
])  # fmt: skip
def test_plain_http_to_another_machine(host):
    assert refusal(api_token="token-0001-abcdefgh", api_url=f"http://{host}/v4") == CLEAR
    assert refusal({"CLOUDFLARE_BASE_URL": f"http://{host}/v4"}, api_token="token-0001-abcdefgh") == CLEAR


@each_row("url", [
    "api.cloudflare.com", "ftp://api.cloudflare.com", "file:///etc/passwd", "https://", "https:///v4", "https://:443/v4", "//api.cloudflare.com",
    "https://api.cloudflare.com:port", "https://api.cloudflare.com:99999", "https://api.cloudflare.com:0", "https://[::1",
    "https://api.cloud flare.com", "https://api.cloudflare.com/client v4", "https://api.cloudflare.com/\nv4", "javascript:alert(1)",
])  # fmt: skip
def test_not_a_url(url):
    assert refusal(api_token="token-0001-abcdefgh", api_url=url) == f"api_url must be an http or https URL such as {PUBLIC_API}"


@each_row(
    "url",
    [
        "https://user:hunter2@api.cloudflare.com",
        "https://user@api.cloudflare.com",
        "https://:hunter2@localhost",
        "http://hunter2@127.0.0.1/",
        "http://localhost@evil.example/",
        "https://@api.cloudflare.com",
    ],
)
def test_credentials_in_the_url(url):
    message = refusal(api_token="token-0001-abcdefgh", api_url=url)
    assert message == f"api_url must not contain credentials; {WAYS}"


@each_row("url", ["https://api.cloudflare.com/v4?x=1", "https://api.cloudflare.com/v4#x", "http://127.0.0.1#@evil.example"])
def test_more_than_a_path(url):
    assert refusal(api_token="token-0001-abcdefgh", api_url=url).startswith("api_url must end with its path, without query or fragment")


URLS = st.builds(
    "{0}{1}{2}{3}".format,
    st.sampled_from(["http://", "https://", "HTTP://", ""]),
    st.sampled_from(["", "user@", "localhost", "127.0.0.1", "[::1]", "a:b@", "\\"]),
    st.text(max_size=12),
    st.sampled_from(["", ":80", "/v4", "?x", "#y", "@evil.example"]),
)


@given(st.one_of(st.text(), URLS))
def test_any_url(url):
    """Nothing but a Connection or an OptionError, and plain http for loopback alone."""
    try:
        connection = resolve(params(api_token="token-0001-abcdefgh", api_url=url), {})
    except OptionError:
        return
    assert connection.is_loopback or connection.api_url.lower().startswith("https://")


# -- verification -------------------------------------------------------------------------------------------------


def test_verify(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("", encoding="utf-8")
    for given_, verify in (
        ({}, None),
        ({"validate_certs": False}, False),
        ({"ca_path": str(bundle)}, str(bundle)),
        ({"ca_path": str(tmp_path)}, str(tmp_path)),
        ({"ca_path": ""}, None),
        ({"ca_path": str(bundle), "validate_certs": False}, False),
    ):
        assert resolve(params(api_token="token-0001-abcdefgh", **given_), {}).verify == verify
    expected = "ca_path names nothing that exists here; give a file of CA certificates or a folder of them"
    assert refusal(api_token="token-0001-abcdefgh", ca_path=str(tmp_path / "nowhere")) == expected


def test_the_rest_is_passed_on():
    connection = resolve(params(api_token="token-0001-abcdefgh", api_timeout=7.5, api_retries=2), {})
    assert (connection.api_timeout, connection.api_retries) == (7.5, 2)


def test_environment_of_the_process(monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token-0001-abcdefgh")
    assert resolve(params()).credentials.token == "token-0001-abcdefgh"


def test_argument_spec():
    spec = auth.argument_spec()
    assert {name for name, option in spec.items() if option.get("no_log")} == {"api_token", "api_key"}
    assert not [name for name, option in spec.items() if option.get("required")]
    assert {name: option["default"] for name, option in spec.items() if "default" in option} == {
        "api_timeout": 30.0,
        "api_retries": 4,
        "validate_certs": True,
    }
