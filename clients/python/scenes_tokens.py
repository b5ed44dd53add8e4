"""Tokens: what is told of them, their renewal, their end, proofs, and `me`."""

import time

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.pagepost import PagePost
from facebook_business.adobjects.user import User

from harness import ADS, BUSINESS, PAGES, check, proof, refused, same, scene

DAY_S = 86400


def debug(api, token):
    return api.call("GET", ("debug_token",), {"input_token": token}).json()["data"]


def near(what, got, want, slack=DAY_S):
    check(isinstance(got, int), f"{what} is {got!r}, not a number")
    check(abs(got - want) <= slack, f"{what} is {got}, more than {slack} from {want}")


def oauth(w, leaf, **params):
    """A call to /oauth/… with the app's id and secret; no token is needed."""
    params = {"client_id": w.app.id, "client_secret": w.app.secret, **params}
    answer = w.api(None).call("GET", ("oauth", leaf), params).json()
    w.hide(answer)
    return answer


@scene("debug_token tells what a token is")
def debugging(w, s):
    user = w.worker(PAGES, page=["CREATE_CONTENT"])
    app_api = w.api(f"{w.app.id}|{w.app.secret}")

    def whole(data):
        same("app_id", data["app_id"], w.app.id)
        same("application", data["application"], w.app.name)
        same("type", data["type"], "SYSTEM_USER")
        same("is_valid", data["is_valid"], True)
        same("user_id", data["user_id"], user.id)
        same("expires_at", data["expires_at"], 0)
        near("issued_at", data["issued_at"], int(time.time()))
        same("scopes", set(data["scopes"]) - {"public_profile"}, set(PAGES))
        check(isinstance(data.get("granular_scopes"), list), "granular_scopes is no list")

    with w.step("asked with APPID|SECRET"):
        whole(debug(app_api, user.token))
    with w.step("asked with the token itself"):
        whole(debug(user.api, user.token))
    with w.step("asked with an app token from client_credentials"):
        answer = oauth(w, "access_token", grant_type="client_credentials")
        same("token_type", answer.get("token_type"), "bearer")
        check("expires_in" not in answer, "an app token has no expires_in")
        whole(debug(w.api(answer["access_token"]), user.token))
    with w.step("a token for 60 days says when it ends"):
        answer = w.issue(user.id, PAGES, set_token_expires_in_60_days=True)
        near("expires_at in the answer", answer["expires_at"], int(time.time()) + 60 * DAY_S)
        near("expires_at", debug(app_api, answer["access_token"])["expires_at"], answer["expires_at"], 1)
    with w.step("a page token is of type PAGE and names its Page"):
        row = list(User("me", api=user.api).get_accounts())[0]
        w.hide(row.export_all_data())
        data = debug(app_api, row["access_token"])
        same("type", data["type"], "PAGE")
        same("profile_id", data["profile_id"], w.page)
        same("user_id", data["user_id"], user.id)
    with w.step("an app token is of type APP"):
        data = debug(app_api, f"{w.app.id}|{w.app.secret}")
        same("type", data["type"], "APP")
        same("is_valid", data["is_valid"], True)
        check(isinstance(data.get("scopes"), list), "scopes is no list")
    with w.step("a revoked token is not valid, at HTTP 200"):
        w.admin.call("DELETE", (user.id, "access_tokens"))
        data = debug(app_api, user.token)
        same("is_valid", data["is_valid"], False)
        same("error", (data["error"]["code"], data["error"]["subcode"]), (190, 467))
    with w.step("a garbled token is not valid, at HTTP 200"):
        data = debug(app_api, user.token[:-3])
        same("is_valid", data["is_valid"], False)
        same("code", data["error"]["code"], 190)
        same("scopes", data["scopes"], [])
    with w.step("a token of another app of the business is a mismatch"):
        other = w.create_user()
        w.install(other.id, w.second_app.id)
        token = w.issue(other.id, PAGES, app=w.second_app.id)["access_token"]
        data = debug(app_api, token)
        same("is_valid", data["is_valid"], False)
        same("code", data["error"]["code"], 100)
        check("did not match the Viewing App" in data["error"]["message"], data["error"]["message"])
    with w.step("a token of another business looks like no token at all"):
        foreign = debug(app_api, w.partner["admin_token"])
        same("the answer", foreign, debug(app_api, "nonsense"))
        same("is_valid", foreign["is_valid"], False)


@scene("a token is renewed")
def renewing(w, s):
    user = w.worker(PAGES, page=["CREATE_CONTENT"])
    app_api = w.api(f"{w.app.id}|{w.app.secret}")
    ends = w.issue(user.id, PAGES, set_token_expires_in_60_days=True)["access_token"]
    with w.step("fb_exchange_token gives a new string that ends in 60 days"):
        answer = oauth(
            w, "access_token", grant_type="fb_exchange_token",
            fb_exchange_token=ends, set_token_expires_in_60_days=True,
        )
        check(answer["access_token"] != ends, "the same string came back")
        same("token_type", answer.get("token_type"), "bearer")
        near("expires_in", answer.get("expires_in"), 60 * DAY_S)
        s.fresh = answer["access_token"]
    with w.step("the new token works, and so does the old one"):
        for token in (s.fresh, ends):
            same("me", w.api(token).call("GET", ("me",)).json()["id"], user.id)
    with w.step("it has the same scopes, user and app"):
        old, new = debug(app_api, ends), debug(app_api, s.fresh)
        for key in ("app_id", "user_id", "type"):
            same(key, new[key], old[key])
        same("scopes", set(new["scopes"]), set(old["scopes"]))
    with w.step("asking for more scopes never gives more"):
        try:
            token = oauth(
                w, "access_token", grant_type="fb_exchange_token",
                fb_exchange_token=ends, scope=",".join([*PAGES, *ADS]),
            )["access_token"]
        except Exception as error:  # a refusal is as good as being ignored
            check(hasattr(error, "api_error_code"), repr(error))
        else:
            check("ads_management" not in debug(app_api, token)["scopes"], "the new token holds ads_management")
    with w.step("renewing a token without end gives no expires_in"):
        answer = oauth(w, "access_token", grant_type="fb_exchange_token", fb_exchange_token=user.token)
        check("expires_in" not in answer, f"expires_in is {answer.get('expires_in')!r}")
    with w.step("a wrong secret is refused with 101, never with 1"):
        refused(
            lambda: oauth(
                w, "access_token", grant_type="fb_exchange_token", fb_exchange_token=ends, client_secret="0" * 32,
            ),
            101, text="Error validating client secret.",
        )
    with w.step("an unknown app is refused with 101"):
        refused(
            lambda: oauth(w, "access_token", grant_type="client_credentials", client_id="12345"),
            101, text="Error validating application",
        )
    with w.step("an unknown grant_type is refused with 100"):
        refused(lambda: oauth(w, "access_token", grant_type="wish"), 100)
    with w.step("another app can't renew it"):
        refused(
            lambda: oauth(
                w, "access_token", grant_type="fb_exchange_token", fb_exchange_token=ends,
                client_id=w.second_app.id, client_secret=w.second_app.secret,
            ),
            190,
        )
    with w.step("a revoked token can't be renewed"):
        w.admin.call("DELETE", (user.id, "access_tokens"))
        refused(
            lambda: oauth(w, "access_token", grant_type="fb_exchange_token", fb_exchange_token=ends), 190, 467,
        )
    with w.step("revoking all also ended the renewed one"):
        refused(lambda: w.api(s.fresh).call("GET", ("me",)), 190, 467)


@scene("one token is revoked and the others live")
def revoking(w, s):
    user = w.worker(PAGES, page=["CREATE_CONTENT"])
    spare = w.issue(user.id, PAGES)
    third = w.issue(user.id, PAGES)
    with w.step("oauth/revoke ends the named token only"):
        answer = oauth(w, "revoke", revoke_token=user.token, access_token=spare["access_token"])
        same("the answer", answer, {"success": True})
        refused(lambda: user.api.call("GET", ("me",)), 190, 467, reason="token_revoked")
        same("me", w.api(spare["access_token"]).call("GET", ("me",)).json()["id"], user.id)
    with w.step("revoking it once more succeeds"):
        answer = oauth(w, "revoke", revoke_token=user.token, access_token=spare["access_token"])
        same("the answer", answer, {"success": True})
    with w.step("a wrong secret revokes nothing"):
        refused(
            lambda: oauth(
                w, "revoke", revoke_token=third["access_token"], access_token=spare["access_token"],
                client_secret="0" * 32,
            ),
            101,
        )
        same("me", w.api(third["access_token"]).call("GET", ("me",)).json()["id"], user.id)
    with w.step("the inventory lists every token, and no token's text"):
        answer = w.admin.call("GET", (user.id, "access_tokens"), {"limit": 100})
        rows = {row["id"]: row for row in answer.json()["data"]}
        for one in (spare, third):
            row = rows.get(one["token_id"])
            check(row is not None, f"token {one['token_id']} is not listed")
            same("app", row["app"]["id"], w.app.id)
            check(set(PAGES) <= set(row["scopes"]), f"scopes are {row['scopes']!r}")
            check(one["access_token"] not in answer.body(), "the list shows the text of a token")
    with w.step("DELETE on a token's own id ends it"):
        same("the answer", w.admin.call("DELETE", (third["token_id"],)).json(), {"success": True})
        refused(lambda: w.api(third["access_token"]).call("GET", ("me",)), 190, 467)
        same("me", w.api(spare["access_token"]).call("GET", ("me",)).json()["id"], user.id)
    with w.step("the SDK's delete_access_tokens ends the rest"):
        User(user.id, api=w.admin).delete_access_tokens()
        refused(lambda: w.api(spare["access_token"]).call("GET", ("me",)), 190, 467)


@scene("a token ends by itself")
def expiring(w, s):
    user = w.create_user()
    w.install(user.id)
    with w.step("a token made for two seconds is refused with 190, subcode 463"):
        token = w.issue(user.id, PAGES, lifetime_s=2)["access_token"]
        api = w.api(token)
        until = time.monotonic() + 15
        while time.monotonic() < until:
            try:
                api.call("GET", ("me",))
            except Exception:
                break
            time.sleep(0.2)
        refused(
            lambda: api.call("GET", ("me",)), 190, 463, reason="token_expired",
            text="Error validating access token: Session has expired on",
        )


@scene("appsecret_proof")
def proofs(w, s):
    user = w.worker(PAGES, page=["CREATE_CONTENT"])
    second = w.worker(PAGES, app=w.second_app, page=["CREATE_CONTENT"])
    wrong = {"kind": "GraphMethodException", "text": "Invalid appsecret_proof provided in the API argument"}
    absent = {
        "kind": "GraphMethodException",
        "text": "API calls from the server require an appsecret_proof argument",
    }

    def me(token, secret=None):
        return w.api(token, secret).call("GET", ("me",)).json()["id"]

    with w.step("the first app demands none, and takes a right one"):
        same("me without", me(user.token), user.id)
        same("me with", me(user.token, w.app.secret), user.id)
    with w.step("the first app refuses a wrong one"):
        refused(lambda: me(user.token, w.second_app.secret), 100, reason="proof_invalid", **wrong)
    with w.step("the second app demands one"):
        refused(lambda: me(second.token), 100, reason="proof_missing", **absent)
    with w.step("the second app takes a right one"):
        same("me", me(second.token, w.second_app.secret), second.id)
    with w.step("the second app refuses a wrong one"):
        refused(lambda: me(second.token, w.app.secret), 100, reason="proof_invalid", **wrong)
    with w.step("without the proof the second app's token publishes nothing"):
        refused(lambda: Page(w.page, api=second.api).create_feed(params={"message": "x"}), 100, **absent)
    with w.step("with the proof it publishes"):
        api = w.api(second.token, w.second_app.secret)
        s.post = Page(w.page, api=api).create_feed(params={"message": w.unique("proven")})["id"]
        w.later(f"post {s.post}", lambda: PagePost(s.post, api=w.admin).api_delete())
    with w.step("a page token is proven by its own text, not by its parent's"):
        api = w.api(second.token, w.second_app.secret)
        row = list(User("me", api=api).get_accounts())[0]
        w.hide(row.export_all_data())
        same("me", me(row["access_token"], w.second_app.secret), w.page)
        of_parent = {"appsecret_proof": proof(second.token, w.second_app.secret)}
        refused(lambda: w.api(row["access_token"]).call("GET", ("me",), of_parent), 100, **wrong)
    with w.step("a dead token is 190 even when the proof is wrong as well"):
        w.admin.call("DELETE", (user.id, "access_tokens"))
        refused(lambda: me(user.token, w.second_app.secret), 190, 467)


@scene("me, and what it reaches")
def own_lists(w, s):
    scopes = sorted(set(PAGES + ADS + BUSINESS))
    user = w.worker(scopes, page=["CREATE_CONTENT", "ANALYZE"], ad_account=["ANALYZE"])
    me = User("me", api=user.api)
    # Reading a node changes the id of the SDK's object from `me` to the number,
    # so that later calls of programs name the user by it.
    by_number = User(user.id, api=user.api)

    def accounts():
        rows = list(me.get_accounts(fields=["id", "name", "access_token", "tasks"]))
        w.hide([row.export_all_data() for row in rows])
        return rows

    with w.step("me is the system user"):
        got = User("me", api=user.api).api_get(fields=["id", "name"])
        same("me", (got["id"], got["name"]), (user.id, user.name))
    with w.step("me/accounts lists the assigned Page alone, with its tasks"):
        rows = accounts()
        same("ids", [row["id"] for row in rows], [w.page])
        check({"CREATE_CONTENT", "ANALYZE"} <= set(rows[0]["tasks"]), f"tasks are {rows[0]['tasks']!r}")
        s.token = rows[0]["access_token"]
    with w.step("me/accounts gives the same page token each time"):
        same("page token is the same", accounts()[0]["access_token"] == s.token, True)
        again = Page(w.page, api=user.api).api_get(fields=["access_token"])["access_token"]
        same("the Page's field is the same", again == s.token, True)
    with w.step("me/accounts has its documented default fields"):
        row = list(me.get_accounts())[0].export_all_data()
        w.hide(row)
        for key in ("access_token", "category", "category_list", "id", "name", "tasks"):
            check(key in row, f"{key} is absent")
    with w.step("the page token is the Page"):
        same("me", w.api(s.token).call("GET", ("me",)).json()["id"], w.page)
    with w.step("the page token publishes"):
        post = Page(w.page, api=w.api(s.token)).create_feed(params={"message": w.unique("as the Page")})["id"]
        w.later(f"post {post}", lambda: PagePost(post, api=w.admin).api_delete())
        check(post.startswith(w.page + "_"), f"the post's id is {post!r}")
    with w.step("the page token sees no other asset"):
        refused(lambda: AdAccount(w.ad_account, api=w.api(s.token)).api_get(), 100, 33)
    with w.step("me/adaccounts lists the assigned account, with both ids by default"):
        rows = [row.export_all_data() for row in me.get_ad_accounts()]
        same("ids", [row["id"] for row in rows], [w.ad_account])
        same("account_id", rows[0]["account_id"], w.ad_account.removeprefix("act_"))
    with w.step("me/businesses lists its one business"):
        rows = [row.export_all_data() for row in me.get_businesses(fields=["id", "name"])]
        same("rows", [(row["id"], row["name"]) for row in rows], [(w.business, w.demo["business"]["name"])])
    with w.step("me/permissions lists the token's scopes as granted"):
        rows = user.api.call("GET", ("me", "permissions")).json()["data"]
        same("permissions", {row["permission"] for row in rows} - {"public_profile"}, set(scopes))
        same("status", {row["status"] for row in rows}, {"granted"})
    with w.step("the same lists are found by the user's number"):
        for read, want in [
            (by_number.get_accounts, w.page), (by_number.get_ad_accounts, w.ad_account),
            (by_number.get_businesses, w.business),
        ]:
            rows = [row.export_all_data() for row in read()]
            w.hide(rows)
            same("ids", [row["id"] for row in rows], [want])
    with w.step("an app token has no me"):
        refused(lambda: w.api(f"{w.app.id}|{w.app.secret}").call("GET", ("me",)), 2500)
    with w.step("the page token dies when the Page is unassigned"):
        w.unassign(w.page, user.id)
        try:
            w.api(s.token).call("GET", ("me",))
        except Exception as error:
            code = getattr(error, "api_error_code", lambda: None)()
            check(code in (190, 200), f"refused with {code}: {w.explain(error)}")
        else:
            check(False, "it still works")
    with w.step("the page token dies with its parent"):
        w.assign(w.page, user.id, ["CREATE_CONTENT"])
        token = accounts()[0]["access_token"]
        w.admin.call("DELETE", (user.id, "access_tokens"))
        refused(lambda: w.api(token).call("GET", ("me",)), 190)
