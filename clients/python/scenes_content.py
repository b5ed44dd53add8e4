"""Campaigns, lists in pages, several objects at once, and unchanged answers."""

import json
from urllib.parse import urlencode

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.business import Business
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.page import Page

from harness import ADS, VERSION, check, check_error, object_in, refused, refused_raw, same, scene


def campaign_params(name, **more):
    return {
        "name": name,
        "objective": Campaign.Objective.outcome_traffic,
        "status": Campaign.Status.paused,
        "special_ad_categories": [],
        "daily_budget": 5000,
        **more,
    }


def make_campaign(w, api, name):
    made = AdAccount(w.ad_account, api=api).create_campaign(params=campaign_params(name))
    w.later(f"campaign {made['id']}", lambda: Campaign(made["id"], api=w.admin).api_delete())
    return made["id"]


def named(text):
    return [{"field": "name", "operator": "CONTAIN", "value": text}]


@scene("campaigns are made, read, listed, changed and deleted")
def campaigns(w, s):
    user = w.worker(ADS, ad_account=["ADVERTISE"])
    account = AdAccount(w.ad_account, api=user.api)
    s.name = w.unique("Spring tour")

    def listed(**params):
        rows = account.get_campaigns(fields=["id", "name", "status"], params={"limit": 500, **params})
        return [row["id"] for row in rows]

    with w.step("a campaign is created"):
        s.id = make_campaign(w, user.api, s.name)
        check(s.id.isdigit(), f"its id is {s.id!r}")
    with w.step("it is read with the fields that were written"):
        got = Campaign(s.id, api=user.api).api_get(fields=[
            "id", "name", "objective", "status", "effective_status", "daily_budget", "account_id",
            "special_ad_categories", "created_time", "updated_time",
        ])
        for key, want in [
            ("id", s.id), ("name", s.name), ("objective", "OUTCOME_TRAFFIC"), ("status", "PAUSED"),
            ("effective_status", "PAUSED"), ("daily_budget", "5000"),
            ("account_id", w.ad_account.removeprefix("act_")),
        ]:
            same(key, got[key], want)
        check(got["created_time"] and got["updated_time"], "a time is missing")
    with w.step("it is in the account's list"):
        check(s.id in listed(), "it is not listed")
    with w.step("the list is filtered by effective_status"):
        check(s.id in listed(effective_status=["PAUSED"]), "PAUSED lacks it")
        check(s.id not in listed(effective_status=["ACTIVE"]), "ACTIVE holds it")
    with w.step("the list is filtered by name"):
        same("ids", listed(filtering=named(s.name)), [s.id])
        same("ids", listed(filtering=named(s.name + " not")), [])
    with w.step("it is renamed and switched on"):
        name = s.name + " renamed"
        Campaign(s.id, api=user.api).api_update(params={"name": name, "status": "ACTIVE"})
        got = Campaign(s.id, api=user.api).api_get(fields=["name", "status", "effective_status"])
        same("campaign", (got["name"], got["status"], got["effective_status"]), (name, "ACTIVE", "ACTIVE"))
    with w.step("validate_only writes nothing"):
        name = w.unique("only a try")
        account.create_campaign(params=campaign_params(name, execution_options=["validate_only"]))
        same("ids", listed(filtering=named(name)), [])
    with w.step("a missing parameter is refused and named"):
        params = campaign_params(w.unique("no aim"))
        del params["objective"]
        error = refused(lambda: account.create_campaign(params=params), 100, text="objective")
        check("objective" in json.dumps(error.api_blame_field_specs()), "blame_field_specs doesn't name it")
    with w.step("an unknown objective is refused and named"):
        params = campaign_params(w.unique("odd aim"), objective="OUTCOME_MIRACLE")
        error = refused(lambda: account.create_campaign(params=params), 100, text="must be one of")
        check("objective" in json.dumps(error.api_blame_field_specs()), "blame_field_specs doesn't name it")
    with w.step("it is deleted: out of the list, still readable as DELETED"):
        Campaign(s.id, api=user.api).api_delete()
        check(s.id not in listed(), "it is still listed")
        same("status", Campaign(s.id, api=user.api).api_get(fields=["status"])["status"], "DELETED")
        check(s.id in listed(effective_status=["DELETED"]), "effective_status DELETED lacks it")
    with w.step("ANALYZE alone reads and does not write"):
        w.assign(w.ad_account, user.id, ["ANALYZE"])
        check(isinstance(listed(), list), "no list")
        refused(
            lambda: account.create_campaign(params=campaign_params(w.unique("not mine"))),
            200, reason="task_missing", missing={"task": "ADVERTISE"},
        )


@scene("lists come in pages")
def paging(w, s):
    user = w.worker(ADS, ad_account=["ADVERTISE"])
    account = AdAccount(w.ad_account, api=user.api)
    word = w.unique("paged")
    made = {make_campaign(w, user.api, f"{word} {letter}") for letter in "abc"}
    path = f"/{VERSION}/{w.ad_account}/campaigns"
    query = {"limit": 1, "fields": "id,name", "filtering": json.dumps(named(word))}

    with w.step("the SDK's cursor walks three pages of one"):
        cursor = account.get_campaigns(fields=["id", "name"], params={"limit": 1, "filtering": named(word)})
        same("rows on the first page", len(cursor), 1)
        same("total_count", cursor.total(), 3)
        ids = [row["id"] for row in cursor]
        same("number of rows", len(ids), 3)
        same("ids", set(ids), made)
    with w.step("next is absolute and works as it is; the last page has none"):
        url, seen, pages = w.base + path, [], 0
        params = {**query, "access_token": user.token}
        while url:
            answer = object_in(w.raw("GET", url.removeprefix(w.base), params=params), "a page")
            check(answer.get("data"), f"page {pages + 1} holds no row, yet the page before named it")
            seen += [row["id"] for row in answer["data"]]
            pages += 1
            check(pages <= 5, "there is no last page")
            check(answer["paging"]["cursors"]["after"], "no cursors.after")
            url, params = answer["paging"].get("next"), None
            if url:
                check(url.startswith(w.base + "/"), f"next leads to {url.split('?')[0]}")
                check(user.token in url, "next lacks the token that came as a parameter")
        same("pages", pages, 3)
        same("ids", (len(seen), set(seen)), (3, made))
    with w.step("previous leads back"):
        send = {**query, "access_token": user.token}
        first = object_in(w.raw("GET", path, params=send))
        after = {**send, "after": first["paging"]["cursors"]["after"]}
        second = object_in(w.raw("GET", path, params=after))
        check(second["data"] != first["data"], "the second page is the first")
        back = object_in(w.raw("GET", second["paging"]["previous"].removeprefix(w.base)))
        same("rows", back["data"], first["data"])
    with w.step("next holds no token if it came in the header"):
        answer = w.raw("GET", path, params=query, headers={"Authorization": f"Bearer {user.token}"})
        check(object_in(answer)["paging"].get("next"), "no next")
        check(user.token not in answer.text, "a paging link repeats the header's token")
    with w.step("a cursor that isn't ours is refused"):
        refused(lambda: account.get_campaigns(params={"limit": 1, "after": "bm90IG91cnM"}), 100)
    with w.step("the cursor walks system users too, without repeating one"):
        mine = {w.create_user().id for _ in range(2)} | {user.id}
        rows = Business(w.business, api=w.admin).get_system_users(fields=["id"], params={"limit": 1})
        ids = [row["id"] for row in rows]
        same("repeated ids", len(ids) - len(set(ids)), 0)
        check(mine <= set(ids), f"missing: {mine - set(ids)}")


@scene("several calls in one batch")
def batch(w, s):
    user = w.worker(ADS, page=["ANALYZE"], ad_account=["ADVERTISE"])
    account = AdAccount(w.ad_account, api=user.api)

    def run(items):
        answer = user.api.call("POST", (), {"batch": items}).json()
        check(isinstance(answer, list), f"the answer is {str(answer)[:200]}")
        same("number of parts", len(answer), len(items))
        return answer

    def made_by_batch(made):
        w.later(f"campaign {made}", lambda: Campaign(made, api=w.admin).api_delete())
        return made

    def failed_part(part, code, subcode=None):
        same("part's code", part["code"], 403 if code in (10, 200) else 400)
        error = json.loads(part["body"])["error"]
        same("code", error["code"], code)
        if subcode:
            same("error_subcode", error["error_subcode"], subcode)
        return error

    with w.step("the SDK's batch: two reads, a write, and one that fails"):
        good, bad = [], []
        send = user.api.new_batch()
        name = w.unique("batched & more = 100 %")
        Page(w.page, api=user.api).api_get(fields=["id", "name"], batch=send, success=good.append, failure=bad.append)
        Page("999999999999999", api=user.api).api_get(
            fields=["id"], batch=send, success=good.append, failure=bad.append
        )
        account.create_campaign(
            params=campaign_params(name), batch=send, success=good.append, failure=bad.append
        )
        account.api_get(fields=["id", "name"], batch=send, success=good.append, failure=bad.append)
        same("what is left to do", send.execute(), None)
        same("good and bad parts", (len(good), len(bad)), (3, 1))
        same("first id", good[0].json()["id"], w.page)
        made = made_by_batch(good[1].json()["id"])
        same("last id", good[2].json()["id"], w.ad_account)
        same("HTTP status of the bad part", bad[0].status(), 400)
        headers = {row["name"].lower(): row["value"] for row in bad[0].headers()}
        check_error(
            bad[0].json()["error"], bad[0].status(), headers, 100, 33, None, None, "GraphMethodException", None,
        )
        same("name", Campaign(made, api=user.api).api_get(fields=["name"])["name"], name)
    with w.step("an item uses what an earlier one answered; that one comes as null"):
        name = w.unique("referred")
        parts = run([
            {
                "method": "POST", "name": "make", "relative_url": f"{w.ad_account}/campaigns",
                "body": urlencode({**campaign_params(name), "special_ad_categories": "[]"}),
            },
            {"method": "GET", "relative_url": "{result=make:$.id}?fields=id,name"},
        ])
        same("the first part", parts[0], None)
        same("code", parts[1]["code"], 200)
        got = json.loads(parts[1]["body"])
        made_by_batch(got["id"])
        same("name", got["name"], name)
    with w.step("omit_response_on_success=false keeps it"):
        parts = run([
            {
                "method": "GET", "name": "page", "relative_url": f"{VERSION}/{w.page}?fields=id",
                "omit_response_on_success": False,
            },
            {"method": "GET", "relative_url": "/?ids={result=page:$.id}&fields=name"},
        ])
        same("codes", [part["code"] for part in parts], [200, 200])
        same("keys of the second", list(json.loads(parts[1]["body"])), [w.page])
    with w.step("a part has code, headers and the body as text"):
        part = run([{"method": "GET", "relative_url": "me"}])[0]
        check(isinstance(part["body"], str), "body is no text")
        names = {row["name"].lower() for row in part["headers"]}
        check("content-type" in names, f"headers are {sorted(names)}")
    with w.step("what depends on a failed item is refused, and the rest runs"):
        parts = run([
            {"method": "GET", "name": "lost", "relative_url": "999999999999999"},
            {"method": "GET", "relative_url": "{result=lost:$.id}"},
            {"method": "GET", "relative_url": "me"},
        ])
        failed_part(parts[0], 100, 33)
        failed_part(parts[1], 100)
        same("code of the third", parts[2]["code"], 200)
    with w.step("a circle and an unknown name are refused, and the rest runs"):
        parts = run([
            {"method": "GET", "name": "a", "relative_url": "{result=b:$.id}"},
            {"method": "GET", "name": "b", "relative_url": "{result=a:$.id}"},
            {"method": "GET", "relative_url": "{result=nobody:$.id}"},
            {"method": "GET", "relative_url": "me"},
        ])
        for part in parts[:3]:
            failed_part(part, 100)
        same("code of the last", parts[3]["code"], 200)
    with w.step("an item may carry a token of its own"):
        token = w.demo["admin_system_user"]["token"]
        part = run([{"method": "GET", "relative_url": "me", "access_token": token}])[0]
        same("me", json.loads(part["body"])["id"], w.demo["admin_system_user"]["id"])
    with w.step("51 items are refused as a whole"):
        items = [{"method": "GET", "relative_url": "me"}] * 51
        refused(lambda: user.api.call("POST", (), {"batch": items}), 100, text="Too many requests in batch message.")
    with w.step("a batch that is no array is refused"):
        refused(lambda: user.api.call("POST", (), {"batch": {"method": "GET"}}), 100)


@scene("several objects by their ids")
def by_ids(w, s):
    with w.step("get_by_ids reads two Pages in one call"):
        rows = Page.get_by_ids([w.page, w.other_page], fields=["id", "name"], api=w.admin)
        want = {page["id"]: page["name"] for page in w.demo["pages"][:2]}
        same("Pages", {row["id"]: row["name"] for row in rows}, want)
    with w.step("one bad id fails them all"):
        refused(lambda: Page.get_by_ids([w.page, "999999999999999"], fields=["id"], api=w.admin), 803)
    with w.step("51 ids are refused"):
        ids = [str(900000000000000 + n) for n in range(51)]
        refused(lambda: Page.get_by_ids(ids, api=w.admin), 100, text="Too many IDs")


@scene("an unchanged answer is not sent twice")
def etags(w, s):
    user = w.create_user()
    fields = {"fields": "id,name"}

    def read(etag=None):
        headers = {"If-None-Match": etag} if etag else {}
        return w.admin.call("GET", (user.id,), fields, headers=headers)

    with w.step("a read carries an ETag, and its return is answered by 304"):
        s.etag = read().etag()
        check(s.etag, "there is no ETag")
        again = read(s.etag)
        same("HTTP status", again.status(), 304)
        same("body", again.body(), "")
    with w.step("after a change the whole answer comes, with another ETag"):
        w.admin.call("POST", (user.id,), {"name": w.unique("changed")})
        changed = read(s.etag)
        same("HTTP status", changed.status(), 200)
        check(changed.etag() != s.etag, "the ETag is the old one")


@scene("ways of writing the same call")
def spellings(w, s):
    user = w.worker(ADS, page=["ANALYZE"], ad_account=["ADVERTISE"])
    token = {"access_token": user.token}
    path = f"/{VERSION}/{w.ad_account}/campaigns"

    def form(name):
        return {**campaign_params(name), "special_ad_categories": "[]", **token}

    def made(response):
        answer = object_in(response)
        check("id" in answer, f"HTTP {response.status_code}: {response.text[:300]}")
        w.later(f"campaign {answer['id']}", lambda: Campaign(answer["id"], api=w.admin).api_delete())
        return answer["id"]

    with w.step("POST with everything in the query"):
        made(w.raw("POST", path, params=form(w.unique("in the query"))))
    with w.step("POST with a JSON body and the token in the query"):
        s.id = made(w.raw("POST", path, params=token, json=campaign_params(w.unique("in JSON"))))
    with w.step("POST with a form that names no content type"):
        body = urlencode(form(w.unique("no type"))).encode()
        made(w.raw("POST", path, data=body, headers={"Content-Type": None}))
    with w.step("POST with multipart fields"):
        fields = {key: (None, str(value)) for key, value in form(w.unique("multipart")).items()}
        made(w.raw("POST", path, files=fields))
    with w.step("the token as a bearer header"):
        for word in ("Bearer", "OAuth"):
            answer = object_in(w.raw("GET", "/me", headers={"Authorization": f"{word} {user.token}"}))
            same("me", answer.get("id"), user.id)
    with w.step("no version, old and new versions, and slashes at will"):
        for start in ("", "/v2.3", "/v19.0", "/v24.0", "/v26.0"):
            for end in ("", "/"):
                url = f"{start}/{w.page}{end}"
                response = w.raw("GET", url, params={"fields": "id", **token})
                same(f"answer of {url}", object_in(response), {"id": w.page})
                if start:
                    same("facebook-api-version", response.headers.get("facebook-api-version"), start[1:])
    with w.step("tasks as a list in single quotes"):
        params = {"access_token": w.demo["admin_system_user"]["token"], "business": w.business}
        form_of = {**params, "user": user.id, "tasks": "['ADVERTISE', 'ANALYZE']"}
        answer = object_in(w.raw("POST", f"/{VERSION}/{w.ad_account}/assigned_users", data=form_of))
        same("the answer", answer, {"success": True})
    with w.step("POST with method=delete is a DELETE"):
        answer = object_in(w.raw("POST", f"/{VERSION}/{s.id}", params={"method": "delete", **token}))
        same("the answer", answer, {"success": True})
        same("status", Campaign(s.id, api=user.api).api_get(fields=["status"])["status"], "DELETED")
    with w.step("an unknown method= is refused"):
        refused_raw(w.raw("POST", f"/{VERSION}/{s.id}", params={"method": "fly", **token}), 100)
