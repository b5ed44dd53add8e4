"""The questions that a fixture is asked: everything that its users see, with the token of each user.

The answers of the version that wrote the data are kept in `expected.json.gz`; crates/server/tests/it/
upgrade.rs asks a later version the same. A question must never change what it asks about.
"""

import json

from server import Refused

USER = "id,name,role,status,created_time"
TOKEN = "id,type,user,app,page,scopes,created_by,parent,created_time,expires_at,last_used_time,last_used_ip,use_count,status"
POST = (
    "id,message,story,created_time,updated_time,from,link,name,description,permalink_url,is_published,is_hidden,"
    "scheduled_publish_time,failed,status_type,admin_creator,application"
)
CAMPAIGN = (
    "id,name,account_id,objective,status,configured_status,effective_status,buying_type,bid_strategy,daily_budget,"
    "lifetime_budget,budget_remaining,spend_cap,special_ad_categories,start_time,stop_time,created_time,updated_time"
)
ASSET = "id,name,business,owner_business,created_time,tasks,permitted_tasks"
NODES = {
    "page": ASSET + ",category,about,phone,link",
    "page_2": ASSET + ",category",
    "ad_account": ASSET + ",account_id,account_status,currency,timezone_id,spend_cap,user_tasks",
    "catalog": ASSET + ",vertical",
    "pixel": ASSET + ",is_crm",
    "instagram_account": ASSET + ",username",
    "whatsapp_account": ASSET,
    "warehouse": ASSET + ",kind",
    "unowned": ASSET,
}
# Edges of the business with the fields of their rows.
EDGES = {
    "system_users": USER + ",created_by,business",
    "business_users": USER + ",email",
    "access_tokens": TOKEN,
    "owned_apps": "id,name,allowed_scopes,demands_proof,connected,created_time",
    "owned_pages": ASSET,
    "owned_ad_accounts": ASSET,
    "owned_pixels": ASSET,
    "owned_product_catalogs": ASSET,
    "owned_instagram_accounts": ASSET,
    "owned_whatsapp_business_accounts": ASSET,
    "client_pages": ASSET,
    "client_ad_accounts": ASSET,
    "client_pixels": ASSET,
    "agencies": "id,name,page_permissions,adaccount_permissions",
    "clients": "id,name",
}
USER_EDGES = ["assigned_assets", "applications", "assigned_pages", "assigned_ad_accounts"]


def graph_questions(company):
    """Whose token, and the path with its query."""
    ids = company.ids
    ask = []
    for business, token in [(company.business, "admin"), (ids["partner"], "partner")]:
        ask.append((token, f"/{business}?fields=id,name,created_time"))
        ask += [(token, f"/{business}/{edge}?limit=200&fields={fields}") for edge, fields in EDGES.items()]
    for key, fields in NODES.items():
        path = f"/{'act_' if key == 'ad_account' else ''}{ids[key]}"
        ask += [(token, f"{path}?fields={fields}") for token in ("admin", "partner", "poster", "analyst")]
        ask.append(("admin", f"{path}/assigned_users?fields=id,name,tasks,user_type,role&limit=200"))
        ask.append(("admin", f"{path}/agencies?fields=id,name,permitted_tasks,access_status,created_time"))
    for key in ("head", "poster", "analyst", "stopped", "gone"):
        ask.append(("admin", f"/{ids[key]}?fields={USER},business,created_by"))
        ask += [("admin", f"/{ids[key]}/{edge}?limit=200") for edge in USER_EDGES]
    for key in ("editor", "second", "left"):
        ask.append(("admin", f"/{ids[key]}?fields={USER},email,business"))
    page = ids["page"]
    for token in ("admin", "poster", "page", "editor", "partner", "person"):
        ask += [(token, f"/{page}/{edge}?limit=100&fields={POST}") for edge in ("feed", "scheduled_posts", "ads_posts")]
    ask += [("admin", f"/{post}?fields={POST}") for key, post in ids.items() if key.startswith("post_")]
    account = f"act_{ids['ad_account']}"
    every = "ACTIVE,PAUSED,ARCHIVED,DELETED"
    for token in ("admin", "analyst", "partner"):
        ask.append((token, f"/{account}/campaigns?fields={CAMPAIGN}&limit=100"))
        ask.append((token, f"/{account}/campaigns?fields={CAMPAIGN}&limit=100&effective_status={every}"))
    ask += [("admin", f"/{made}?fields={CAMPAIGN}") for key, made in ids.items() if key.startswith("campaign_")]
    ask += [("admin", f"/{made}?fields={TOKEN}") for key, made in ids.items() if key.startswith("token_")]
    for key, token in company.tokens.items():
        if key not in company.unasked:
            ask.append((key, "/me?fields=id,name"))
            if not key.startswith(("person", "editor")):
                ask.append((key, "/me/permissions"))
        ask.append(("admin", f"/debug_token?input_token={token}"))
    # Page tokens are derived from their parents' texts, so they must be the same again.
    ask += [(key, "/me/accounts?fields=id,name,tasks,access_token") for key in ("poster", "admin", "planner", "partner", "person")]
    return ask


COMMANDS = ["person.list", "app.list", "system-user.list", "asset.list", "share.list", "sign-in.list", "token.list"]


def command_questions(company):
    """The name of a command, and its parameters, for the operator."""
    ids = company.ids
    ask = [("refusals.list", {"limit": 1000}), ("ledger.list", {"limit": 1000}), ("business.list", {})]
    for business in (company.business, ids["partner"]):
        ask += [(name, {"business": business}) for name in COMMANDS]
        ask.append(("asset.list", {"business": business, "reach": "shared"}))
    ask += [("assignment.list", {"user": ids[key]}) for key in ("head", "poster", "analyst", "editor")]
    return ask


# Messages may change, links name a port, and asking is itself a use: none of them is compared.
# A person's scopes follow from the role at the time of asking, so they are not part of the token.
TEXTS = ("paging", "fbtrace_id")
TEXTS_OF_ERRORS = ("message", "error_user_title", "error_user_msg")
USES = ("use_count", "last_used_time", "last_used_ip", "uses", "last_used_at")
SCOPES = ("scopes", "granular_scopes")
# A refusal is identified by its trace, and a ledger entry by its hash, which covers all of it.
KEPT = {
    "refusals.list": ("trace", "at", "business", "token", "reason"),
    "ledger.list": ("revision", "at", "action", "actor", "business", "subjects", "hash"),
}


def answers(company, server):
    """The questions with their answers. The journal comes first, since refused questions enter it."""
    unasked = {company.ids[f"token_{key}"] for key in company.unasked}
    found = []
    for name, parameters in command_questions(company):
        answer = refused(server.command, name, **parameters)
        if name in KEPT:
            answer["body"] = {"rows": [{key: row[key] for key in KEPT[name]} for row in answer["body"]["rows"]]}
        found.append({"command": name, "parameters": parameters} | compared(answer, unasked))
    for key, path in graph_questions(company):
        answer = refused(server.graph, company.tokens[key], "GET", path)
        found.append({"as": key, "path": path} | compared(answer, unasked))
    # The server's address is different each time.
    return json.loads(json.dumps(found).replace(server.base, "{base}"))


def compared(value, unasked, inside=None):
    """The part of an answer that must be the same in every version."""
    if isinstance(value, list):
        return [compared(one, unasked) for one in value]
    if not isinstance(value, dict):
        return value
    left_out = set(TEXTS)
    if inside == "error":
        left_out |= set(TEXTS_OF_ERRORS)
    if value.get("id") not in unasked:
        left_out |= set(USES)
    if value.get("type") == "USER":
        left_out |= set(SCOPES)
    return {key: compared(one, unasked, key) for key, one in value.items() if key not in left_out}


def refused(call, *args, **parameters):
    try:
        return {"status": 200, "body": call(*args, **parameters)}
    except Refused as no:
        return {"status": no.status, "body": no.body}
