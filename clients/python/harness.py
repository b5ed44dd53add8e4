"""What every scene of the story shares: steps, the demo's data, and clean-up.

The SDK is used as it is published; the one thing set here is the address that
it talks to. Tokens and secrets must never reach the output, so every line
passes through `World.say`, which masks them.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import time
import traceback
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlsplit

import requests
from facebook_business.adobjects.business import Business
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

VERSION = FacebookAdsApi.API_VERSION
TIMEOUT_S = 30

# Scope sets with everything that each scope leans on, so that issuing them
# is never refused for a missing companion.
PAGES = ["pages_show_list", "pages_read_engagement", "pages_manage_posts"]
ADS = ["ads_read", "ads_management", "pages_show_list", "pages_read_engagement"]
BUSINESS = ["business_management", "pages_show_list", "pages_read_engagement"]

SCENES = []


def scene(title):
    """Registers a function as a scene; scenes know nothing of each other."""

    def keep(function):
        SCENES.append((title, function))
        return function

    return keep


class Failed(AssertionError):
    """A check that did not hold; its text is what the reader sees."""


class Kept(SimpleNamespace):
    """What a scene's earlier steps leave for its later ones."""

    def __getattr__(self, name):
        raise Failed(f"needs `{name}` from an earlier step, which failed")


def check(holds, why):
    if not holds:
        raise Failed(why)


def same(what, got, want):
    check(got == want, f"{what} is {got!r}, not {want!r}")


def object_in(response, what="the answer"):
    """The JSON object of a raw answer, or a failure that names what came."""
    try:
        value = response.json()
    except ValueError:
        raise Failed(f"{what} is not JSON: HTTP {response.status_code}, {response.text[:200]!r}") from None
    check(isinstance(value, dict), f"{what} is not an object: {response.text[:200]!r}")
    return value


def http_for(code):
    """The HTTP status that goes with a Graph error code."""
    return {190: 401, 10: 403, 200: 403}.get(code, 400)


def check_error(error, status, headers, code, subcode, reason, missing, kind, text):
    """Holds one error envelope against what is expected of it."""
    seen = f"{error.get('code')}/{error.get('error_subcode')} {error.get('message')!r}"
    allowed = code if isinstance(code, tuple) else (code,)
    check(error.get("code") in allowed, f"refused with {seen}, not with code {code}")
    code = error["code"]
    if subcode is not None:
        same("error_subcode", error.get("error_subcode"), subcode)
    same(f"HTTP status of {seen}", status, http_for(code))
    check(isinstance(error.get("message"), str) and error["message"], "the error has no message")
    check(isinstance(error.get("type"), str), f"{seen} has no type")
    check(isinstance(error.get("fbtrace_id"), str) and error["fbtrace_id"], f"{seen} has no fbtrace_id")
    check(not error.get("is_transient", False), f"{seen} calls itself transient")
    if kind is not None:
        same(f"type of {seen}", error.get("type"), kind)
    if text is not None:
        check(text in error["message"], f"message {error['message']!r} lacks {text!r}")
    if code in (10, 200):
        check("permission" in error["message"], f"{seen} lacks the word that connectors look for")
    headers = {name.lower(): value for name, value in dict(headers or {}).items()}
    if status in (401, 403):
        asked = headers.get("www-authenticate", "")
        check(asked.startswith('OAuth "Facebook Platform"'), f"WWW-Authenticate of {seen} is {asked!r}")
    check("json" in headers.get("content-type", ""), f"content type of {seen} is {headers.get('content-type')!r}")
    data = error.get("error_data", {})
    check(isinstance(data, dict), f"error_data of {seen} is {data!r}, not an object")
    if reason is not None:
        same(f"reason of {seen}", data.get("reason"), reason)
        check(error.get("error_user_msg"), f"{seen} says nothing to the user")
    for key, wanted in (missing or {}).items():
        got = (data.get("missing") or {}).get(key)
        ok = wanted(got) if callable(wanted) else got == wanted
        check(ok, f"error_data.missing of {seen} is {data.get('missing')!r}")


def refused(call, code, subcode=None, reason=None, missing=None, kind=None, text=None):
    """Runs an SDK call that must be refused, and checks how it is refused."""
    try:
        answer = call()
    except FacebookRequestError as error:
        body = error.body()
        check(isinstance(body, dict), f"the refusal is no JSON object: {str(body)[:200]!r}")
        check_error(
            body.get("error") or {}, error.http_status(), error.http_headers(),
            code, subcode, reason, missing, kind, text,
        )
        return error
    shown = answer.body() if hasattr(answer, "body") else answer
    raise Failed(f"was accepted, but must be refused with {code}: {str(shown)[:200]}")


def refused_raw(response, code, subcode=None, reason=None, missing=None, kind=None, text=None):
    """The same for an answer that was fetched without the SDK."""
    error = object_in(response).get("error")
    check(isinstance(error, dict), f"was accepted, but must be refused with {code}: {response.text[:200]}")
    check_error(error, response.status_code, response.headers, code, subcode, reason, missing, kind, text)
    return error


def proof(token, secret):
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def reason_in(response):
    """The stable reason of a refusal by an adapter that isn't Graph."""
    header = response.headers.get("Valetkey-Reason")
    if header:
        return header
    found = re.search(r'"reason"\s*:\s*"([a-z_]+)"', response.text)
    return found.group(1) if found else None


class World:
    """The running server, as the demo's file describes it."""

    def __init__(self, demo):
        self.demo = demo
        self.base = demo["base_url"].rstrip("/")
        self.business = demo["business"]["id"]
        self.app = SimpleNamespace(**demo["app"])
        self.second_app = SimpleNamespace(**demo["second_app"])
        self.partner = demo["partner"]
        self.page = demo["pages"][0]["id"]
        self.other_page = demo["pages"][1]["id"]
        self.ad_account = demo["ad_accounts"][0]["id"]
        self.other_ad_account = demo["ad_accounts"][1]["id"]
        self.catalog = demo["catalog"]["id"]
        self.pixel = demo["pixel"]["id"]
        self.run = f"{int(time.time()):x}{secrets.token_hex(3)}"
        self.count = 0
        self.passed = 0
        self.failed = 0
        self.undo = []
        self.leftovers = []
        self.hidden = set()
        self.hide(demo)
        FacebookSession.GRAPH = self.base
        # A proxy of the surroundings must not sit between us and the server.
        host = urlsplit(self.base).hostname or ""
        for name in ("NO_PROXY", "no_proxy"):
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), host]))
        self.admin = self.api(demo["admin_system_user"]["token"])

    # Output.

    def hide(self, value, key=""):
        """Remembers every token and secret inside a value, to mask it."""
        if isinstance(value, dict):
            for name, inner in value.items():
                self.hide(inner, name)
        elif isinstance(value, list):
            for inner in value:
                self.hide(inner, key)
        elif isinstance(value, str) and len(value) > 5 and re.search("token$|secret|sign_in", key):
            self.hidden.add(value)

    def say(self, text):
        for value in sorted(self.hidden, key=len, reverse=True):
            text = text.replace(value, "***")
        print(" ".join(text.split()), flush=True)

    @contextmanager
    def step(self, name):
        """One named check; a failure is told and the scene goes on."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except Exception as error:
            self.failed += 1
            self.say(f"not ok - {name}: {self.explain(error)}")
        else:
            self.passed += 1
            self.say(f"ok - {name}")

    @staticmethod
    def explain(error):
        if isinstance(error, Failed):
            return str(error)
        if isinstance(error, FacebookRequestError):
            body = (error.body() or {}).get("error") if isinstance(error.body(), dict) else None
            context = error.request_context()
            where = f"{context.get('method')} {context.get('path') or context.get('relative_url')}"
            shown = json.dumps(body) if body else str(error.body())[:300]
            return f"{where} was refused, HTTP {error.http_status()}: {shown}"
        if isinstance(error, requests.RequestException):
            return f"no usable answer: {type(error).__name__}: {error}"
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({os.path.basename(last.filename)}:{last.lineno})"

    # Ways to call.

    def api(self, token, secret=None, version=None):
        """An SDK session of its own for one token."""
        session = FacebookSession(self.app.id, secret, token, timeout=TIMEOUT_S)
        return FacebookAdsApi(session, version)

    def raw(self, method, path, **rest):
        """A call without the SDK, for what the SDK can't say."""
        return requests.request(method, self.base + path, timeout=TIMEOUT_S, allow_redirects=False, **rest)

    # Things to act with.

    def unique(self, word):
        self.count += 1
        return f"{word} {self.run}-{self.count}"

    def later(self, what, call):
        """Queues the clean-up of something that was just made."""
        self.undo.append((what, call))

    def create_user(self, role="EMPLOYEE", name=None):
        name = name or self.unique("story robot")
        made = Business(self.business, api=self.admin).create_system_user(params={"name": name, "role": role})
        user = made["id"]
        self.later(f"system user {user}", lambda: self.admin.call("DELETE", (user,)))
        return SimpleNamespace(id=user, name=name)

    def install(self, user, app=None):
        self.admin.call("POST", (user, "applications"), {"business_app": app or self.app.id})

    def assign(self, asset, user, tasks):
        self.admin.call(
            "POST", (asset, "assigned_users"), {"user": user, "tasks": tasks, "business": self.business}
        )

    def unassign(self, asset, user):
        self.admin.call("DELETE", (asset, "assigned_users"), {"user": user, "business": self.business})

    def issue(self, user, scopes, app=None, api=None, **more):
        """Issues a token the way Meta's guide does, proof included."""
        params = {"business_app": app or self.app.id, "scope": ",".join(scopes)}
        if api is None:
            params["appsecret_proof"] = proof(self.demo["admin_system_user"]["token"], self.app.secret)
        params.update(more)
        answer = (api or self.admin).call("POST", (user, "access_tokens"), params).json()
        check(isinstance(answer, dict) and answer.get("access_token"), "issuing answered no access_token")
        self.hide(answer)
        return answer

    def worker(self, scopes, app=None, **assets):
        """A regular system user with its app, its assets, and one token.

        `assets` maps names of this world (page, ad_account, …) to tasks.
        """
        user = self.create_user()
        self.install(user.id, app.id if app else None)
        for name, tasks in assets.items():
            self.assign(getattr(self, name), user.id, tasks)
        answer = self.issue(user.id, scopes, app.id if app else None)
        user.token = answer["access_token"]
        user.token_id = answer.get("token_id")
        user.api = self.api(user.token)
        return user

    # The run.

    def clean_up(self):
        while self.undo:
            what, call = self.undo.pop()
            try:
                call()
            except FacebookRequestError as error:
                if (error.api_error_code(), error.api_error_subcode()) != (100, 33):
                    self.leftovers.append(f"{what}: {self.explain(error)}")
            except Exception as error:
                self.leftovers.append(f"{what}: {self.explain(error)}")

    def play(self, title, function):
        print(f"# {title}", flush=True)
        try:
            function(self, Kept())
        except KeyboardInterrupt:
            raise
        except Exception as error:
            self.failed += 1
            self.say(f"not ok - {title}, its set-up: {self.explain(error)}")
        finally:
            self.clean_up()

    def reachable(self):
        """Whether a server answers at all, told as the first step."""
        before = self.failed
        with self.step(f"a server answers at {self.base}"):
            try:
                response = self.raw("GET", f"/{VERSION}/me")
            except requests.RequestException as error:
                raise Failed(
                    f"nothing answers ({type(error).__name__}); start it with `valetkey demo` and"
                    " pass the demo.json that it writes"
                ) from None
            refused_raw(response, 2500)
        return self.failed == before

    def end(self):
        with self.step("everything that the story made is deleted again"):
            check(not self.leftovers, "; ".join(self.leftovers))
        return self.finish()

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0
