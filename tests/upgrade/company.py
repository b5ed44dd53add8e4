"""The data of a fixture: one of everything that a version can store, in every state.

All of it is made through the server's own calls, at two times: `early`, when tokens are made that
have ended since, and `late`, decades ahead, so that posts scheduled then still wait when the tests of
later versions read them.
"""

import hashlib
import hmac

from server import Refused

DECLARED = """[[kinds]]
word = "warehouse"
title = "Warehouse"
tasks = ["MANAGE", "PACK"]
"""
PAGES = ["pages_show_list", "pages_read_engagement", "pages_manage_posts", "pages_manage_ads"]
ADS = ["ads_read", "ads_management"]
EVERYTHING = [*PAGES, *ADS, "business_management", "catalog_management", "instagram_basic",
              "pages_manage_metadata", "whatsapp_business_management"]
KINDS = {
    "page": {"category": "Publisher", "about": "Books about water", "phone": "+49 30 5550100"},
    "ad_account": {"currency": "EUR"},
    "catalog": {},
    "pixel": {},
    "instagram_account": {},
    "whatsapp_account": {},
    "warehouse": {},
}
DAY_S = 86_400


class Company:
    """Two businesses, and the tokens and ids that questions about them use."""

    def __init__(self, made):
        self.business, self.admin = made["business"]["id"], made["admin"]["id"]
        self.code = made["sign_in"]
        self.tokens, self.ids = {}, {}
        # Tokens that are never used for questions, so that their use counts stay as they are.
        self.unasked = set()

    def early(self, server):
        """People, apps, assets and system users; and records that end later."""
        command, graph = server.command, server.graph
        person = command("sign-in", code=self.code)["access_token"]
        self.tokens["person_ended"] = person
        command("terms.accept", person, version=1)
        app = command("app.create", business=self.business, name="Press Desk")
        proving = command("app.create", business=self.business, name="Ad Desk", demands_proof=True)
        left = command("app.create", business=self.business, name="Old Desk")
        self.ids |= {"app": app["id"], "app_proving": proving["id"], "app_left": left["id"]}
        self.secrets = {"app": app["secret"], "app_proving": proving["secret"]}
        self.people(server)
        self.assets(server)
        self.system_users(server)
        self.assignments(server)
        self.early_tokens(server)
        self.partner(server)
        command("app.rotate-secret", app=self.ids["app_proving"])
        command("app.disconnect", app=self.ids["app_left"])
        graph(self.tokens["admin"], "POST", f"/{self.ids['page_2']}", name="Harbour Press, second hand")
        self.early_posts(server)
        self.campaigns(server)
        self.refusals(server)

    def people(self, server):
        for key, name, role in [("editor", "Grace", "EMPLOYEE"), ("second", "Edsger", "ADMIN"), ("left", "Barbara", "EMPLOYEE")]:
            made = server.command("person.create", business=self.business, name=name, email=f"{key}@harbour.example", role=role)
            self.ids[key] = made["id"]
        server.command("person.update", person=self.ids["second"], status="DEACTIVATED")
        server.command("person.delete", person=self.ids["left"])
        code = server.command("sign-in.create", person=self.ids["editor"])["code"]
        self.tokens["editor_ended"] = server.command("sign-in", code=code)["access_token"]

    def assets(self, server):
        for kind, details in KINDS.items():
            made = server.command("asset.create", business=self.business, kind=kind, name=f"Harbour {kind}", details=details)
            self.ids[kind] = made["id"]
        self.ids["page_2"] = server.command("asset.create", business=self.business, kind="page", name="Second")["id"]
        self.ids["unowned"] = server.command("asset.create", kind="page", name="Nobody's", unowned=True)["id"]

    def system_users(self, server):
        for key, role in [("head", "ADMIN"), ("poster", "EMPLOYEE"), ("analyst", "EMPLOYEE"), ("stopped", "EMPLOYEE"), ("gone", "EMPLOYEE")]:
            self.ids[key] = server.command("system-user.create", business=self.business, name=f"The {key}", role=role)["id"]
            for app in ("app", "app_proving", "app_left"):
                server.command("app.install", app=self.ids[app], system_user=self.ids[key])
        server.command("app.uninstall", app=self.ids["app_left"], system_user=self.ids["analyst"])

    def assignments(self, server):
        for user, asset, tasks in [
            ("poster", "page", ["CREATE_CONTENT", "ANALYZE"]),
            ("poster", "page_2", ["MODERATE"]),
            ("analyst", "ad_account", ["ANALYZE"]),
            ("analyst", "page", ["ANALYZE"]),
            ("analyst", "warehouse", ["PACK"]),
            ("stopped", "page", ["CREATE_CONTENT"]),
            ("editor", "page", ["MANAGE"]),
            ("gone", "catalog", ["MANAGE"]),
        ]:
            server.command("assignment.assign", asset=self.ids[asset], user=self.ids[user], tasks=tasks)
        server.command("assignment.unassign", asset=self.ids["page"], user=self.ids["analyst"])

    def early_tokens(self, server):
        never = {"never": True}
        self.issue(server, "admin", "head", EVERYTHING, **never)
        self.issue(server, "poster", "poster", PAGES, **never)
        self.issue(server, "planner", "poster", PAGES, **never)
        self.issue(server, "analyst", "analyst", ADS, **never)
        self.issue(server, "narrowed", "analyst", ADS, app="app_proving", **never)
        self.issue(server, "stopped", "stopped", PAGES, **never)
        self.issue(server, "gone", "gone", ["catalog_management"], **never)
        self.issue(server, "left", "poster", PAGES, app="app_left", **never)
        self.issue(server, "ended", "poster", PAGES, lifetime_s=DAY_S)
        self.issue(server, "revoked", "poster", PAGES, **never)
        self.issue(server, "unused", "poster", PAGES, **never)
        self.unasked.add("unused")
        # A token that issued another, one that was refreshed, and page tokens of a token.
        head, poster = self.tokens["admin"], self.tokens["poster"]
        child = server.graph(head, "POST", f"/{self.ids['head']}/access_tokens", business_app=self.ids["app"], scope=["public_profile"])
        self.keep("child", child)
        exchanged = server.graph(
            None, "GET", "/oauth/access_token", grant_type="fb_exchange_token", client_id=self.ids["app"],
            client_secret=self.secrets["app"], fb_exchange_token=poster,
        )
        self.tokens["exchanged"] = exchanged["access_token"]
        for parent, key in [("poster", "page"), ("revoked", "page_of_revoked"), ("planner", "page_of_planner")]:
            rows = server.graph(self.tokens[parent], "GET", "/me/accounts")["data"]
            self.tokens[key] = next(row["access_token"] for row in rows if row["id"] == self.ids["page"])
        self.tokens["app"] = server.graph(
            None, "GET", "/oauth/access_token", grant_type="client_credentials", client_id=self.ids["app"],
            client_secret=self.secrets["app"],
        )["access_token"]
        server.graph(self.tokens["unused"], "GET", "/me")
        proof = hmac.new(self.secrets["app_proving"].encode(), self.tokens["narrowed"].encode(), hashlib.sha256).hexdigest()
        server.graph(self.tokens["narrowed"], "DELETE", "/me/permissions/ads_management", appsecret_proof=proof)

    def issue(self, server, key, user, scopes, app="app", **end):
        made = server.command(
            "token.issue", system_user=self.ids[user], app=self.ids[app], scopes=scopes, add_dependencies=True, **end
        )
        self.keep(key, made)

    def keep(self, key, made):
        self.tokens[key], self.ids[f"token_{key}"] = made["access_token"], made["token_id"]

    def partner(self, server):
        made = server.command("business.create", name="Tide Agency", admin_email="pat@tide.example")
        self.ids["partner"] = made["business"] if "business" in made else made["id"]
        admin = server.command("person.list", business=self.ids["partner"])["rows"][0]["id"]
        code = server.command("sign-in.create", person=admin)["code"]
        server.command("terms.accept", server.command("sign-in", code=code)["access_token"], version=1)
        self.ids["app_partner"] = server.command("app.create", business=self.ids["partner"], name="Tide")["id"]
        self.ids["planner"] = server.command("system-user.create", business=self.ids["partner"], name="Planner", role="ADMIN")["id"]
        server.command("app.install", app=self.ids["app_partner"], system_user=self.ids["planner"])
        self.issue(server, "partner", "planner", [*PAGES, *ADS, "business_management"], app="app_partner", never=True)
        for asset, tasks in [("page", ["ANALYZE", "ADVERTISE"]), ("ad_account", ["ADVERTISE"]), ("pixel", ["ANALYZE"])]:
            server.command("share.share", asset=self.ids[asset], partner=self.ids["partner"], tasks=tasks)
        server.command("share.unshare", asset=self.ids["pixel"], partner=self.ids["partner"])

    def early_posts(self, server):
        page, poster, admin = self.ids["page"], self.tokens["poster"], self.tokens["admin"]
        post = lambda key, token, **what: self.ids.update({f"post_{key}": server.graph(token, "POST", f"/{page}/feed", **what)["id"]})
        post("plain", poster, message="The first book is printed – 400 pages, naïve in places.")
        post("link", self.tokens["page"], message="Read more", link="https://harbour.example/books", name="Books", description="All of them")
        post("kept_back", poster, message="Not yet", published=False)
        post("for_ads", admin, message="Buy it", published=False, unpublished_content_type="ADS_POST")
        post("deleted", poster, message="A mistake")
        server.graph(poster, "DELETE", f"/{self.ids['post_deleted']}")
        post("edited", poster, message="Teh second book")
        server.graph(poster, "POST", f"/{self.ids['post_edited']}", message="The second book")
        # These are due before the late time. The first is published then; the token of the second
        # is revoked before that, so it fails.
        soon = server.now() + 3_600
        post("came_due", self.tokens["planner"], message="It is out", published=False, scheduled_publish_time=soon)
        post("failed", self.tokens["revoked"], message="Nobody may", published=False, scheduled_publish_time=soon)
        server.command("token.revoke", token=self.ids["token_revoked"])
        server.command("system-user.deactivate", system_user=self.ids["stopped"])
        server.command("system-user.delete", system_user=self.ids["gone"])

    def campaigns(self, server):
        account, admin = f"act_{self.ids['ad_account']}", self.tokens["admin"]
        for key, what in {
            "active": {"status": "ACTIVE", "daily_budget": "1500", "special_ad_categories": ["NONE"]},
            "paused": {"lifetime_budget": "90000", "stop_time": server.now() + 60 * DAY_S, "special_ad_categories": ["HOUSING"]},
            "archived": {"status": "PAUSED", "special_ad_categories": []},
            "deleted": {"status": "PAUSED", "special_ad_categories": []},
        }.items():
            made = server.graph(admin, "POST", f"/{account}/campaigns", name=f"Campaign {key}", objective="OUTCOME_TRAFFIC", **what)
            self.ids[f"campaign_{key}"] = made["id"]
        server.graph(admin, "POST", f"/{self.ids['campaign_archived']}", status="ARCHIVED")
        server.graph(admin, "DELETE", f"/{self.ids['campaign_deleted']}")

    def refusals(self, server):
        """Calls that are refused, one for each kind of reason."""
        page = self.ids["page"]
        for token, method, path, what in [
            ("analyst", "POST", f"/{page}/feed", {"message": "no"}),
            ("poster", "POST", f"/{self.ids['page_2']}/feed", {"message": "no"}),
            ("poster", "GET", f"/{self.business}/system_users", {}),
            ("revoked", "GET", "/me", {}),
            ("stopped", "GET", "/me", {}),
            ("gone", "GET", "/me", {}),
            ("left", "GET", "/me", {}),
            ("narrowed", "GET", "/me", {}),
            ("partner", "POST", f"/{page}/feed", {"message": "no"}),
            ("analyst", "GET", f"/{self.ids['unowned']}", {}),
            (None, "GET", "/me", {}),
        ]:
            try:
                server.graph(self.tokens.get(token), method, path, **what)
            except Refused:
                continue
            raise SystemExit(f"{token} {method} {path} was meant to be refused")

    def late(self, server):
        """Posts that wait, and tokens that end only after the late time."""
        due = self.ids["post_came_due"]
        fields = {"fields": "is_published,failed"}
        server.wait_for("publishing", lambda: server.graph(self.tokens["admin"], "GET", f"/{due}", **fields)["is_published"])
        failed = self.ids["post_failed"]
        server.wait_for("the failure", lambda: "failed" in server.graph(self.tokens["admin"], "GET", f"/{failed}", **fields))
        code = server.command("sign-in.create", person=self.admin)["code"]
        self.tokens["person"] = server.command("sign-in", code=code)["access_token"]
        code = server.command("sign-in.create", person=self.ids["editor"])["code"]
        self.tokens["editor"] = server.command("sign-in", code=code)["access_token"]
        server.command("sign-in.create", person=self.ids["editor"])
        self.issue(server, "with_end", "poster", PAGES, lifetime_s=30 * DAY_S)
        for days, (key, token) in enumerate([("poster", "poster"), ("page", "page"), ("person", "person"), ("admin", "admin"), ("editor", "editor")], 40):
            made = server.graph(
                self.tokens[token], "POST", f"/{self.ids['page']}/feed", message=f"Scheduled by {key}", published=False,
                scheduled_publish_time=server.now() + days * DAY_S,
            )
            self.ids[f"post_scheduled_{key}"] = made["id"]
        # One is moved after it was scheduled, another is deleted.
        server.graph(self.tokens["poster"], "POST", f"/{self.ids['post_scheduled_admin']}", scheduled_publish_time=server.now() + 50 * DAY_S)
        server.graph(self.tokens["editor"], "DELETE", f"/{self.ids['post_scheduled_editor']}")
        self.refusals(server)
