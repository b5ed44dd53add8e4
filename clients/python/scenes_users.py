"""System users: the story of one from its making to its end, and assignments."""

import re

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adspixel import AdsPixel
from facebook_business.adobjects.business import Business
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.pagepost import PagePost
from facebook_business.adobjects.productcatalog import ProductCatalog
from facebook_business.adobjects.systemuser import SystemUser
from facebook_business.adobjects.user import User

from harness import ADS, PAGES, check, proof, refused, same, scene


@scene("a system user acts on a Page, and is cut off")
def main_story(w, s):
    with w.step("an ADMIN token creates a regular system user"):
        name = w.unique("publishing robot")
        made = Business(w.business, api=w.admin).create_system_user(
            params={"name": name, "role": SystemUser.Role.employee}
        )
        check(isinstance(made["id"], str) and made["id"].isdigit(), f"its id is {made['id']!r}")
        s.user = made["id"]
        w.later(f"system user {s.user}", lambda: w.admin.call("DELETE", (s.user,)))
    with w.step("the app is installed on it"):
        answer = w.admin.call("POST", (s.user, "applications"), {"business_app": w.app.id})
        same("the answer", answer.json(), {"success": True})
    with w.step("a Page is assigned to it"):
        Page(w.page, api=w.admin).create_assigned_user(
            params={"user": s.user, "tasks": [Page.Tasks.create_content], "business": w.business}
        )
    with w.step("a token is issued for it"):
        answer = w.admin.call("POST", (s.user, "access_tokens"), {
            "business_app": w.app.id,
            "scope": ",".join(sorted(set(PAGES + ADS))),
            "appsecret_proof": proof(w.demo["admin_system_user"]["token"], w.app.secret),
        }).json()
        w.hide(answer)
        check(len(answer.get("access_token", "")) > 20, "no access_token in the answer")
        check(str(answer.get("token_id", "")).isdigit(), f"token_id is {answer.get('token_id')!r}")
        same("expires_at of a token without end", answer.get("expires_at"), 0)
        s.api = w.api(answer["access_token"])
    with w.step("the new token publishes a post"):
        s.message = w.unique("Hello from a robot, with ümlauts & signs = 100 %")
        post = Page(w.page, api=s.api).create_feed(params={"message": s.message})
        check(post["id"].startswith(w.page + "_"), f"the post's id is {post['id']!r}")
        s.post = post["id"]
        w.later(f"post {s.post}", lambda: PagePost(s.post, api=w.admin).api_delete())
    with w.step("the new token reads the post back"):
        post = PagePost(s.post, api=s.api).api_get(fields=["id", "message", "created_time"])
        same("message", post["message"], s.message)
        check(
            re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", post["created_time"]),
            f"created_time is {post['created_time']!r}",
        )
    with w.step("the post is first in the Page's feed"):
        feed = Page(w.page, api=s.api).get_feed(fields=["id", "message"], params={"limit": 5})
        check(s.post in [row["id"] for row in feed[0:5]], "the post is not among the newest five")
    with w.step("it is refused on the ad account, with the reason"):
        error = refused(
            lambda: AdAccount(w.ad_account, api=s.api).get_campaigns(),
            200, reason="asset_not_assigned", kind="OAuthException", missing={"asset": bool},
        )
        data = error.body()["error"]["error_data"]
        check("ADMIN" in data.get("granted_by", ""), f"granted_by is {data.get('granted_by')!r}")
    with w.step("all its tokens are revoked"):
        answer = w.admin.call("DELETE", (s.user, "access_tokens"))
        same("the answer", answer.json(), {"success": True})
    with w.step("the revoked token is refused with 190, subcode 467"):
        refused(
            lambda: s.api.call("GET", ("me",)), 190, 467, reason="token_revoked",
            kind="OAuthException", text="Error validating access token",
        )
    with w.step("the revoked token can't publish"):
        refused(lambda: Page(w.page, api=s.api).create_feed(params={"message": "late"}), 190, 467)


@scene("system users are listed, renamed, switched off and deleted")
def life(w, s):
    user = w.worker(PAGES, page=["CREATE_CONTENT"])
    business = Business(w.business, api=w.admin)
    with w.step("the list shows it with id, name and role by default"):
        rows = business.get_system_users(params={"limit": 5000})
        mine = [row for row in rows if row["id"] == user.id]
        same("rows of this user", len(mine), 1)
        same("name", mine[0]["name"], user.name)
        same("role", mine[0]["role"], "EMPLOYEE")
    with w.step("the list carries summary.total_count"):
        rows = business.get_system_users(fields=["id"], params={"limit": 5000})
        same("total_count", rows.total(), len(rows))
    with w.step("it is renamed the way Meta documents it"):
        s.name = w.unique("renamed robot")
        answer = business.create_system_user(params={"system_user_id": user.id, "name": s.name})
        same("id in the answer", answer["id"], user.id)
        got = SystemUser(user.id, api=w.admin).api_get(fields=["id", "name", "role"])
        same("name", got["name"], s.name)
        same("role", got["role"], "EMPLOYEE")
    with w.step("it is renamed on its own node"):
        name = w.unique("renamed again")
        same("the answer", w.admin.call("POST", (user.id,), {"name": name}).json(), {"success": True})
        same("name", SystemUser(user.id, api=w.admin).api_get(fields=["name"])["name"], name)
    with w.step("switched off, its token is refused with 190, subcode 459"):
        w.admin.call("POST", (user.id,), {"status": "DEACTIVATED"})
        refused(lambda: user.api.call("GET", ("me",)), 190, 459, reason="user_deactivated")
    with w.step("switched on again, the same token works"):
        w.admin.call("POST", (user.id,), {"status": "ACTIVE"})
        same("id", user.api.call("GET", ("me",)).json()["id"], user.id)
    with w.step("an ADMIN can be made and needs no assignment"):
        boss = w.create_user(role="ADMIN")
        w.install(boss.id)
        api = w.api(w.issue(boss.id, PAGES)["access_token"])
        same("id", Page(w.other_page, api=api).api_get(fields=["id", "name"])["id"], w.other_page)
    with w.step("it can't delete or switch off itself"):
        own = w.issue(boss.id, ["business_management", *PAGES])["access_token"]
        refused(lambda: w.api(own).call("DELETE", (boss.id,)), (100, 200))
    with w.step("deleted, it is gone for its token and for the ADMIN"):
        same("the answer", w.admin.call("DELETE", (user.id,)).json(), {"success": True})
        refused(lambda: user.api.call("GET", ("me",)), 190, 467, reason="user_deleted")
        refused(lambda: SystemUser(user.id, api=w.admin).api_get(), 100, 33, kind="GraphMethodException")


# Kind, class, the asset's name in World, first and second set of tasks, and
# the edge of the system user that lists such assets. The sets avoid tasks
# that imply others, so that what is read back is exactly what was written.
KINDS = [
    ("Page", Page, "page", ["ANALYZE", "CREATE_CONTENT"], ["MODERATE"], "assigned_pages"),
    ("ad account", AdAccount, "ad_account", ["ADVERTISE", "ANALYZE"], ["ANALYZE"], "assigned_ad_accounts"),
    ("catalog", ProductCatalog, "catalog", ["ADVERTISE"], ["AA_ANALYZE"], "assigned_product_catalogs"),
    ("pixel", AdsPixel, "pixel", ["EDIT", "UPLOAD"], ["UPLOAD"], "assigned_pixels"),
]


def assigned_rows(w, asset, user):
    """The rows of one user on an asset, and the count that the edge gives."""
    rows = asset.get_assigned_users(
        fields=["id", "name", "tasks"], params={"business": w.business, "limit": 5000}
    )
    total = rows.total()
    found = list(rows)
    same("summary.total_count", total, len(found))
    return [row for row in found if row["id"] == user]


def rows_of_user(w, user, edge):
    """What a system user's own edge lists: asset id → set of tasks."""
    answer = w.admin.call("GET", (user, edge), {"limit": 5000, "summary": True}).json()
    same("summary.total_count", answer.get("summary", {}).get("total_count"), len(answer["data"]))
    return {row["id"]: set(row["tasks"]) for row in answer["data"]}


@scene("assets of four kinds are assigned, re-assigned and taken back")
def assignments(w, s):
    user = w.create_user()
    for kind, node, name, first, second, edge in KINDS:
        asset = node(getattr(w, name), api=w.admin)
        who = {"user": user.id, "business": w.business}
        with w.step(f"{kind}: assigned, it shows on the asset"):
            asset.create_assigned_user(params={**who, "tasks": first})
            rows = assigned_rows(w, asset, user.id)
            same("rows", len(rows), 1)
            same("tasks", set(rows[0]["tasks"]), set(first))
            same("name", rows[0]["name"], user.name)
        with w.step(f"{kind}: assigned, it shows on the system user"):
            same(edge, rows_of_user(w, user.id, edge), {asset["id"]: set(first)})
        with w.step(f"{kind}: assigned again, the set is replaced"):
            asset.create_assigned_user(params={**who, "tasks": second})
            same("tasks", set(assigned_rows(w, asset, user.id)[0]["tasks"]), set(second))
            same(edge, rows_of_user(w, user.id, edge), {asset["id"]: set(second)})
        with w.step(f"{kind}: an unknown task is refused and changes nothing"):
            refused(lambda: asset.create_assigned_user(params={**who, "tasks": ["FLY"]}), 100, text="must be one of")
            same("tasks", set(assigned_rows(w, asset, user.id)[0]["tasks"]), set(second))
        with w.step(f"{kind}: taken back, it is gone from both sides"):
            if hasattr(asset, "delete_assigned_users"):
                asset.delete_assigned_users(params=who)
            else:  # the SDK has no such call for pixels
                w.admin.call("DELETE", (asset["id"], "assigned_users"), who)
            same("rows", assigned_rows(w, asset, user.id), [])
            same(edge, rows_of_user(w, user.id, edge), {})


@scene("the SDK's own classes list what is assigned")
def assigned_by_class(w, s):
    user = w.create_user()
    w.assign(w.page, user.id, ["MODERATE"])
    w.assign(w.ad_account, user.id, ["ANALYZE"])
    w.assign(w.catalog, user.id, ["AA_ANALYZE"])
    node = SystemUser(user.id, api=w.admin)
    for what, read, want, tasks in [
        ("assigned_pages", node.get_assigned_pages, w.page, ["MODERATE"]),
        ("assigned_ad_accounts", node.get_assigned_ad_accounts, w.ad_account, ["ANALYZE"]),
        ("assigned_product_catalogs", node.get_assigned_product_catalogs, w.catalog, ["AA_ANALYZE"]),
    ]:
        with w.step(f"SystemUser reads {what} with tasks"):
            rows = read()
            same("total_count", rows.total(), 1)
            rows = list(rows)
            same("ids", [row["id"] for row in rows], [want])
            same("tasks", list(rows[0]["tasks"]), tasks)
    with w.step("a regular system user reads its own assigned_pages"):
        w.install(user.id)
        api = w.api(w.issue(user.id, PAGES)["access_token"])
        same("ids", [row["id"] for row in User("me", api=api).get_assigned_pages()], [w.page])


@scene("narrowing an assignment bites at once")
def narrowing(w, s):
    user = w.worker(PAGES, page=["CREATE_CONTENT"])
    page = Page(w.page, api=user.api)
    with w.step("with the task, it publishes"):
        s.post = page.create_feed(params={"message": w.unique("while I may")})["id"]
        w.later(f"post {s.post}", lambda: PagePost(s.post, api=w.admin).api_delete())
    with w.step("with another task, it is refused and told which one is missing"):
        w.assign(w.page, user.id, ["MODERATE"])
        refused(
            lambda: page.create_feed(params={"message": "no longer"}), 200,
            reason="task_missing", missing={"task": "CREATE_CONTENT"},
        )
    with w.step("with no assignment, it is refused as not assigned"):
        w.unassign(w.page, user.id)
        refused(lambda: page.create_feed(params={"message": "no longer"}), 200, reason="asset_not_assigned")
    with w.step("assigned again, the same token publishes again"):
        w.assign(w.page, user.id, ["CREATE_CONTENT"])
        s.again = page.create_feed(params={"message": w.unique("and again")})["id"]
        w.later(f"post {s.again}", lambda: PagePost(s.again, api=w.admin).api_delete())
    with w.step("its own post can be edited and deleted"):
        text = w.unique("edited")
        PagePost(s.again, api=user.api).api_update(params={"message": text})
        same("message", PagePost(s.again, api=user.api).api_get(fields=["message"])["message"], text)
        PagePost(s.again, api=user.api).api_delete()
        refused(lambda: PagePost(s.again, api=user.api).api_get(), 100, 33)
