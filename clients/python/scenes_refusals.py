"""Refusals: each says what is wrong, and none tells what is not one's own."""

import re

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.business import Business
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.systemuser import SystemUser

from harness import ADS, BUSINESS, PAGES, VERSION, check, refused, refused_raw, same, scene
from scenes_content import make_campaign


@scene("calls that make no sense")
def nonsense(w, s):
    with w.step("an unknown field is named"):
        refused(
            lambda: w.admin.call("GET", (w.page,), {"fields": "id,no_such_field"}), 100,
            text="(#100) Tried accessing nonexisting field (no_such_field) on node type (Page)",
        )
    with w.step("an unknown field inside braces is named"):
        refused(
            lambda: w.admin.call("GET", (w.ad_account,), {"fields": "id,business{no_such_field}"}), 100,
            text="nonexisting field (no_such_field)",
        )
    with w.step("an unknown edge is refused, on GET and on POST"):
        refused(
            lambda: w.admin.call("GET", (w.page, "no_such_edge")), 100,
            text="(#100) Tried accessing nonexisting field (no_such_edge) on node type (Page)",
        )
        refused(
            lambda: w.admin.call("POST", (w.page, "no_such_edge")), 100,
            kind="GraphMethodException", text="Unsupported request - method type: post",
        )
    with w.step("an unknown version is refused"):
        refused(lambda: w.api(w.demo["admin_system_user"]["token"], version="v99.0").call("GET", ("me",)), 2500,
                text="Unknown path components:")
    with w.step("a name that is no id is refused with 803"):
        refused(lambda: w.admin.call("GET", ("cocacola",), api_version=VERSION), 803, text="cocacola")
    with w.step("fields that can't be read are refused"):
        refused(lambda: w.admin.call("GET", (w.page,), {"fields": "id,feed{message"}), 2500, text="Syntax error")
    with w.step("fields nested too deep are refused"):
        deep = "id," + "feed{comments{" * 25 + "id" + "}}" * 25
        refused(lambda: w.admin.call("GET", (w.page,), {"fields": deep}), 100)
    with w.step("a body that is no JSON is refused"):
        response = w.raw(
            "POST", f"/{VERSION}/{w.business}/system_users", data=b'{"name": ',
            params={"access_token": w.demo["admin_system_user"]["token"]},
            headers={"Content-Type": "application/json"},
        )
        refused_raw(response, 100)
    with w.step("a business can't be deleted"):
        refused(lambda: w.admin.call("DELETE", (w.business,)), 100, text="Unsupported request - method type: delete")
    with w.step("an empty post is refused"):
        refused(lambda: Page(w.page, api=w.admin).create_feed(params={}), 100)


@scene("names, roles and apps that can't be")
def bad_input(w, s):
    business = Business(w.business, api=w.admin)

    def create(name, role="EMPLOYEE"):
        made = business.create_system_user(params={"name": name, "role": role})
        w.later(f"system user {made['id']}", lambda: w.admin.call("DELETE", (made["id"],)))

    for what, name in [("no name", ""), ("10,000 characters", "n" * 10_000), ("a NUL", "a\0b")]:
        with w.step(f"a name with {what} is refused" if name else "an empty name is refused"):
            refused(lambda: create(name), 100)
    with w.step("an unknown role is refused"):
        refused(lambda: create(w.unique("captain"), "CAPTAIN"), 100, text="must be one of")
    user = w.create_user()
    with w.step("without the app installed, no token is issued"):
        refused(lambda: w.issue(user.id, PAGES), 100, 9000001)
    w.install(user.id)
    with w.step("an unknown scope is refused"):
        refused(lambda: w.issue(user.id, [*PAGES, "fly"]), 100)
    with w.step("a scope without those it leans on is refused"):
        refused(lambda: w.issue(user.id, ["pages_manage_posts"]), 100, 9000010)
    with w.step("a wrong proof issues nothing"):
        refused(lambda: w.issue(user.id, PAGES, appsecret_proof="0" * 64), 100, reason="proof_invalid")
    with w.step("a foreign app and one that never was are refused alike"):
        messages = [
            refused(lambda: w.issue(user.id, PAGES, app=app), 100).api_error_message()
            for app in (w.partner["app"]["id"], twin(w.partner["app"]["id"]))
        ]
        same("messages", messages[0], messages[1])


@scene("tokens that are none")
def dead_tokens(w, s):
    token = w.demo["admin_system_user"]["token"]
    letter = "A" if token[-5] != "A" else "B"
    cases = [
        ("cut off", token[:-1]), ("with one letter changed", token[:-5] + letter + token[-4:]),
        ("made up", "EAAnotatoken"), ("with a blank", token[:9] + " " + token[9:]),
    ]
    for what, text in cases:
        with w.step(f"a token {what} is refused with 190"):
            refused(
                lambda: w.api(text).call("GET", ("me",)), 190, reason="token_malformed",
                kind="OAuthException", text="Invalid OAuth access token",
            )
    with w.step("no token is refused with 190"):
        refused(
            lambda: w.api(None).call("GET", (w.page,)), 190, text="An access token is required to request this resource.",
        )
    with w.step("a dead token is refused before anything else is looked at"):
        refused(lambda: w.api("EAAnotatoken").call("GET", (w.page,), {"fields": "no_such_field"}), 190)
        refused(lambda: w.api("EAAnotatoken").call("GET", ("999999999999999",)), 190)


@scene("scope, task and role")
def rights(w, s):
    user = w.worker(["pages_show_list"], page=["CREATE_CONTENT"], ad_account=["ANALYZE"])
    scope_of = {"scope": lambda got: bool(got)}
    with w.step("without the scope, 10, and it is named"):
        refused(
            lambda: AdAccount(w.ad_account, api=user.api).get_campaigns(), 10,
            reason="scope_missing", missing=scope_of, text="(#10) This endpoint requires the",
        )
    with w.step("without the scope, publishing is 10"):
        refused(
            lambda: Page(w.page, api=user.api).create_feed(params={"message": "x"}), 10,
            reason="scope_missing", missing={"scope": lambda got: "pages_manage_posts" in str(got)},
        )
    with w.step("me/adaccounts without the scope is 10, never an empty list"):
        refused(lambda: user.api.call("GET", ("me", "adaccounts")), 10, reason="scope_missing")
    with w.step("the scope is asked before the assignment"):
        refused(lambda: AdAccount(w.other_ad_account, api=user.api).get_campaigns(), 10, reason="scope_missing")
    plain = w.worker(BUSINESS + ["ads_read"])
    with w.step("a regular system user creates none"):
        refused(
            lambda: Business(w.business, api=plain.api).create_system_user(params={"name": "x", "role": "ADMIN"}),
            200, reason="role_insufficient", missing={"role": "ADMIN"},
        )
    with w.step("a regular system user assigns nothing to itself"):
        refused(
            lambda: Page(w.page, api=plain.api).create_assigned_user(params={"user": plain.id, "tasks": ["MANAGE"]}),
            200,
        )
    with w.step("a regular system user issues for itself, never more than it has"):
        token = w.issue(plain.id, ["ads_read"], api=plain.api)["access_token"]
        same("me", w.api(token).call("GET", ("me",)).json()["id"], plain.id)
        refused(
            lambda: w.issue(plain.id, sorted(set(PAGES + BUSINESS)), api=plain.api), 200,
            text="issue more permission than it has",
        )
    with w.step("a regular system user issues nothing for another"):
        refused(lambda: w.issue(user.id, ["pages_show_list"], api=plain.api), (100, 200))


def twin(text):
    """An id of the same make that was never issued: the last digits differ."""
    head, digits = re.fullmatch(r"(.*?)(\d+)", text).groups()
    return head + str(int(digits) ^ 0x2AA)


def without_ids(response, ids):
    """An answer with the ids and the trace id taken out, to compare bytes."""
    text = re.sub(r'"fbtrace_id":"[^"]*"', '"fbtrace_id":""', response.text)
    for one in sorted(ids, key=len, reverse=True):
        text = text.replace(one, "<id>")
    return response.status_code, sorted(name.lower() for name in response.headers), text


# What is tried on every id, and what more on some kinds: method, edge, data.
ON_ALL = [
    ("GET", "", {}), ("GET", "", {"fields": "id,name"}), ("GET", "", {"metadata": "1"}),
    ("GET", "no_such_edge", {}), ("POST", "", {"name": "mine now"}), ("DELETE", "", {}),
    ("GET", "assigned_users", {}), ("POST", "assigned_users", {"user": "1", "tasks": '["MANAGE"]'}),
    ("DELETE", "assigned_users", {"user": "1"}),
]
ON_KIND = {
    "Page": [("GET", "feed", {}), ("POST", "feed", {"message": "x"}), ("GET", "", {"fields": "access_token"})],
    "ad account": [("GET", "campaigns", {}), ("POST", "campaigns", {"name": "x"})],
    "business": [
        ("GET", "system_users", {}), ("POST", "system_users", {"name": "x", "role": "ADMIN"}),
        ("GET", "owned_pages", {}), ("GET", "owned_ad_accounts", {}), ("GET", "owned_apps", {}),
    ],
    "system user": [
        ("GET", "access_tokens", {}), ("POST", "access_tokens", {"scope": "ads_read"}),
        ("DELETE", "access_tokens", {}), ("POST", "applications", {"business_app": "1"}),
        ("GET", "assigned_pages", {}),
    ],
    "campaign": [("POST", "", {"status": "ACTIVE"})],
    "post": [("POST", "", {"message": "mine now"})],
}


def compare(w, token, kind, real):
    """Tries all calls on a foreign id and on two that were never issued."""
    never = [twin(real), re.sub(r"\d+", "123456789012345", real)]
    for method, edge, data in ON_ALL + ON_KIND.get(kind, []):
        seen = []
        for one in [real, *never]:
            path = f"/{VERSION}/{one}/{edge}" if edge else f"/{VERSION}/{one}"
            params = {"access_token": token}
            response = w.raw(method, path, params={**params, **data} if method != "POST" else params,
                             data=data if method == "POST" else None)
            what = f"{method} {kind}/{edge}"
            error = refused_raw(response, 100, 33, kind="GraphMethodException")
            check("error_data" not in error and "error_user_msg" not in error, f"{what} tells too much")
            parts = {one, one.removeprefix("act_"), *one.split("_")}
            seen.append(without_ids(response, [part for part in parts if part.isdigit()] + [one]))
        for other in seen[1:]:
            check(other == seen[0], f"{what} differs: {seen[0]} and {other}")


@scene("what is foreign looks as if it weren't there")
def foreign(w, s):
    user = w.worker(ADS, page=["CREATE_CONTENT"], ad_account=["ADVERTISE"])
    campaign = make_campaign(w, user.api, w.unique("ours alone"))
    post = Page(w.page, api=w.admin).create_feed(params={"message": w.unique("ours alone")})["id"]
    w.later(f"post {post}", lambda: w.admin.call("DELETE", (post,)))
    token = w.partner["admin_token"]
    partner_api = w.api(token)
    with w.step("the partner's token works on its own business"):
        got = Business(w.partner["business"]["id"], api=partner_api).api_get(fields=["id", "name"])
        same("id", got["id"], w.partner["business"]["id"])
        s.own = partner_api.call("GET", ("me",)).json()["id"]
    for kind, one in [
        ("business", w.business), ("app", w.app.id), ("Page", w.page), ("ad account", w.ad_account),
        ("catalog", w.catalog), ("pixel", w.pixel), ("system user", user.id), ("token", user.token_id),
        ("campaign", campaign), ("post", post),
    ]:
        with w.step(f"to the partner, our {kind} is like an id never issued, byte for byte"):
            check(one, "there is no id to try")
            compare(w, token, kind, one)
    ours = w.demo["admin_system_user"]["token"]
    with w.step("to us, the partner's system user is like an id never issued"):
        compare(w, ours, "system user", s.own)
    with w.step("to a regular token, the partner's app is like an id never issued"):
        compare(w, user.token, "app", w.partner["app"]["id"])
    with w.step("as a parameter, a foreign user and one never issued are refused alike"):
        seen = []
        for one in (s.own, twin(s.own)):
            data = {"user": one, "tasks": '["ANALYZE"]', "business": w.business}
            response = w.raw("POST", f"/{VERSION}/{w.page}/assigned_users", params={"access_token": ours}, data=data)
            refused_raw(response, 100)
            seen.append(without_ids(response, [one]))
        same("answers", seen[0], seen[1])
    with w.step("in ids=, a foreign id and one never issued are refused alike"):
        seen = []
        for one in (w.page, twin(w.page)):
            response = w.raw("GET", f"/{VERSION}/", params={"ids": one, "access_token": token})
            refused_raw(response, 803)
            seen.append(without_ids(response, [one]))
        same("answers", seen[0], seen[1])
    with w.step("the partner's lists hold nothing of ours"):
        mine = {w.page, w.other_page, w.ad_account, w.other_ad_account, w.business}
        for edge in ("accounts", "adaccounts", "businesses"):
            rows = partner_api.call("GET", ("me", edge), {"limit": 500}).json()["data"]
            same(f"ours in me/{edge}", mine & {row["id"] for row in rows}, set())
    with w.step("nothing of ours was changed by the tries"):
        same("user", SystemUser(user.id, api=w.admin).api_get(fields=["name"])["name"], user.name)
        same("me", user.api.call("GET", ("me",)).json()["id"], user.id)
        text = w.admin.call("GET", (post,), {"fields": "message"}).json()["message"]
        check("ours alone" in text, f"the post reads {text!r}")
