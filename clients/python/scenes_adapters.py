"""The adapters beside Graph: receipts of writes, and decisions for other servers."""

from harness import ADS, PAGES, check, object_in, reason_in, refused, same, scene


def bearer(token, **more):
    return {"Authorization": f"Bearer {token}", **more}


@scene("a write has a revision, and the revision a receipt")
def receipts(w, s):
    token = w.demo["admin_system_user"]["token"]
    user = w.create_user()

    def revision(answer):
        text = answer.headers().get("Valetkey-Revision", "")
        check(text.isdigit(), f"Valetkey-Revision is {text!r}")
        return int(text)

    with w.step("each write answers with a higher Valetkey-Revision"):
        answers = [
            w.admin.call("POST", (user.id,), {"name": w.unique("revised")}),
            w.admin.call("POST", (user.id, "applications"), {"business_app": w.app.id}),
            w.admin.call("POST", (w.page, "assigned_users"), {"user": user.id, "tasks": ["ANALYZE"]}),
            w.admin.call("DELETE", (w.page, "assigned_users"), {"user": user.id}),
        ]
        got = [revision(answer) for answer in answers]
        check(got == sorted(set(got)), f"the revisions are {got}")
        s.revision = got[-1]
    with w.step("its receipt names the revision and every node"):
        response = w.raw("GET", f"/v1/receipts/{s.revision}", headers=bearer(token))
        same("HTTP status", response.status_code, 200)
        receipt = object_in(response)
        same("revision", int(receipt.get("revision", -1)), s.revision)
        check(isinstance(receipt.get("nodes"), list) and receipt["nodes"], f"nodes are {receipt.get('nodes')!r}")
    with w.step("without a token there is no receipt"):
        same("HTTP status", w.raw("GET", f"/v1/receipts/{s.revision}").status_code, 401)


@scene("other servers ask for a decision")
def decisions(w, s):
    scopes = sorted(set(PAGES + ADS))
    user = w.worker(scopes, page=["CREATE_CONTENT"])
    may = {"asset": w.page, "task": "CREATE_CONTENT", "scope": "pages_manage_posts"}
    cases = [
        ("another task of the Page", {**may, "task": "MODERATE"}, "task_missing"),
        ("a Page that isn't assigned", {**may, "asset": w.other_page}, "asset_not_assigned"),
        ("a scope that the token lacks", {**may, "scope": "leads_retrieval"}, "scope_missing"),
        ("an id that is no asset", {**may, "asset": "999999999999999"}, "not_visible"),
    ]

    def gate(token, asks, **headers):
        return w.raw("GET", "/gateway/forward-auth", params=asks, headers=bearer(token, **headers))

    def ask(body, token=None):
        return w.raw("POST", "/v1/check", json=body, headers=bearer(token or user.token))

    with w.step("the gateway lets the assigned task pass"):
        response = gate(user.token, may)
        check(response.status_code in (200, 204), f"HTTP {response.status_code} {response.text[:200]}")
    for what, asks, reason in cases:
        with w.step(f"the gateway stops {what}, with the reason"):
            response = gate(user.token, asks)
            same("HTTP status", response.status_code, 403)
            same("reason", reason_in(response), reason)
    with w.step("the visitor's own query changes nothing"):
        visitor = {"X-Forwarded-Uri": f"/x?asset={w.page}&task=CREATE_CONTENT", "X-Forwarded-Method": "GET"}
        same("HTTP status", gate(user.token, cases[1][1], **visitor).status_code, 403)
    with w.step("the gateway answers 401 without a token and to one that is none"):
        for headers in ({}, bearer("EAAnotatoken")):
            response = w.raw("GET", "/gateway/forward-auth", params=may, headers=headers)
            same("HTTP status", response.status_code, 401)
            check(response.headers.get("WWW-Authenticate"), "WWW-Authenticate is absent")
    with w.step("/v1/check allows the assigned task"):
        response = ask(may)
        same("HTTP status", response.status_code, 200)
        same("allowed", object_in(response).get("allowed"), True)
    for what, asks, reason in cases:
        with w.step(f"/v1/check says no to {what}, with the reason"):
            response = ask(asks)
            same("HTTP status", response.status_code, 200)
            same("allowed", object_in(response).get("allowed"), False)
            same("reason", reason_in(response), reason)
    with w.step("/v1/check answers a thousand questions in their order"):
        response = ask({"questions": [may, cases[0][1]] * 500})
        same("HTTP status", response.status_code, 200)
        answers = object_in(response).get("decisions")
        check(isinstance(answers, list), f"decisions are {str(answers)[:200]}")
        same("allowed", [row.get("allowed") for row in answers], [True, False] * 500)
    with w.step("an app of the business asks about the token of another"):
        response = ask({"token": user.token, **may}, f"{w.app.id}|{w.app.secret}")
        same("HTTP status", response.status_code, 200)
        same("allowed", object_in(response).get("allowed"), True)
    with w.step("the partner's app learns nothing about our token"):
        app = w.partner["app"]
        response = ask({"token": user.token, **may}, f"{app['id']}|{app['secret']}")
        check('"allowed":true' not in response.text.replace(" ", ""), "it was told that the token may")
    with w.step("revoked, the next question is answered no, at every adapter"):
        w.admin.call("DELETE", (user.id, "access_tokens"))
        same("HTTP status at the gateway", gate(user.token, may).status_code, 401)
        response = ask(may)
        check(response.status_code == 401 or object_in(response).get("allowed") is False, "it is still allowed")
        same("reason", reason_in(response), "token_revoked")
        refused(lambda: user.api.call("GET", ("me",)), 190, 467)
