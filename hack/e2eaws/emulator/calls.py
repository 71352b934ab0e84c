# SPDX-License-Identifier: Apache-2.0
"""Calls that the emulator lacks, answered before it sees them.

A gap is a function with one of the decorators below. It gets a Call and returns what AWS would answer, as a dictionary
(or, of services that speak XML, as text), or None to let the emulator answer. What it keeps, it keeps by account.
"""
import functools
import io
import json
import re
import time
import uuid
from urllib.parse import parse_qs, unquote

from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

REGION = "eu-west-2"

_by_target, _by_path, _by_action = {}, [], {}
_kept = {}


class Missing(Exception):
    """What is asked for is not there; the text says what."""


class Call:
    """One request: whose it is, what it says, and what its path says (groups)."""

    def __init__(self, account, body, groups=()):
        self.account, self.body, self.groups = account, body, groups

    def arn(self, service, rest):
        return f"arn:aws:{service}:{REGION}:{self.account}:{rest}"

    def put(self, value, *key):
        _kept[(self.account, *key)] = value
        return value

    def get(self, *key):
        try:
            return _kept[(self.account, *key)]
        except KeyError:
            raise Missing(f"there is no {' '.join(key)}") from None

    def find(self, *key):
        """What is kept below a key, oldest first."""
        key = (self.account, *key)
        return [v for k, v in list(_kept.items()) if k[: len(key)] == key]

    def drop(self, *key):
        """Forgets what is there, and says what it was."""
        value = self.get(*key)
        del _kept[(self.account, *key)]
        return value


def target(name):
    """A call by the header X-Amz-Target."""

    def register(function):
        _by_target[name] = function
        return function

    return register


def path(service, method, pattern):
    """A call by its path, as it was sent; groups of the pattern are decoded and become c.groups."""

    def register(function):
        _by_path.append((service, method, re.compile(pattern + "/?$"), function))
        return function

    return register


def action(service, name):
    """A call of the query protocol; its body becomes a dictionary of the first values."""

    def register(function):
        _by_action[service, name] = function
        return function

    return register


def now():
    return int(time.time())


def fresh():
    return str(uuid.uuid4())


def wrap(owner, name):
    """Replaces a method of the emulator: the function gets the one that was there first."""

    def register(function):
        before = getattr(owner, name)

        @functools.wraps(before)
        def call(*args, **kwargs):
            return function(before, *args, **kwargs)

        setattr(owner, name, call)
        return function

    return register


def _answer(environ, read):
    """The (content type, text) of a call that is ours, or None."""
    credential = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    if not credential:
        return None
    account, service = get_account_id_from(credential[1]), credential[2]
    name = environ.get("HTTP_X_AMZ_TARGET", "")
    if name in _by_target:
        said = _by_target[name](Call(account, json.loads(read() or b"{}")))
        return said if said is None else ("application/x-amz-json-1.1", json.dumps(said))
    raw = environ.get("RAW_URI", environ.get("PATH_INFO", "")).split("?")[0]
    for of, method, pattern, function in _by_path:
        match = pattern.match(raw) if of == service and method == environ["REQUEST_METHOD"] else None
        if match:
            said = function(Call(account, json.loads(read() or b"{}"), [unquote(g) for g in match.groups()]))
            return said if said is None else ("application/json", json.dumps(said))
    if any(of == service for of, _ in _by_action):
        form = {k: v[0] for k, v in parse_qs(read().decode()).items()}
        function = _by_action.get((service, form.get("Action")))
        said = function(Call(account, form)) if function else None
        return said if said is None else ("text/xml", said)
    return None


def install():
    """Puts the calls before the emulator's own."""

    @wrap(DomainDispatcherApplication, "__call__")
    def dispatch(before, self, environ, start_response):
        def read():
            # The emulator reads it again.
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            return body

        status, extra = "200 OK", []
        try:
            given = _answer(environ, read)
        except Missing as missing:
            status, extra = "404 Not Found", [("x-amzn-ErrorType", "ResourceNotFoundException")]
            given = "application/json", json.dumps({"__type": "ResourceNotFoundException", "message": str(missing)})
        if given is None:
            return before(self, environ, start_response)
        kind, text = given
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(text.encode()))), *extra])
        return [text.encode()]
