// What pages can do better with script. Every page works without it. It never writes HTML: it sets
// text and attributes, and replaces one element by a parsed one, through a sanitizer.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector, from = document) => from.querySelectorAll(selector);
  const say = (text) => {
    const status = document.getElementById("status");
    if (status) status.textContent = text;
  };

  // Times in the viewer's zone; the title keeps UTC.
  const english = (options) => new Intl.DateTimeFormat("en-GB", options);
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const dayOf = (at) => at.getDate() + " " + months[at.getMonth()] + " " + at.getFullYear();
  const clock = english({ hour: "2-digit", minute: "2-digit" });
  const zone = english({ timeZoneName: "short" });
  const zoneOf = (at) => zone.formatToParts(at).find((p) => p.type === "timeZoneName").value;
  const dayNumber = (at) => Math.floor((at - at.getTimezoneOffset() * 60000) / 86400000);
  const distance = (at, now) => {
    const away = at - now, size = Math.abs(away);
    if (size < 60000) return away > 0 ? "in a moment" : "just now";
    const days = dayNumber(at) - dayNumber(now);
    if (away < 0 && size >= 3600000) {
      if (days === 0) return "today at " + clock.format(at);
      if (days === -1) return "yesterday at " + clock.format(at);
    }
    if (size > 90 * 86400000) return dayOf(at);
    const whole = (n) => away > 0 ? Math.round(n) : Math.floor(n);
    const [count, unit] = size < 3600000 ? [whole(size / 60000), "minute"]
      : size < 86400000 ? [whole(size / 3600000), "hour"] : [whole(size / 86400000), "day"];
    const words = count + " " + unit + (count === 1 ? "" : "s");
    return away > 0 ? "in " + words : words + " ago";
  };
  const times = (from) => {
    const now = new Date();
    for (const time of all("time[data-format]", from)) {
      const at = new Date(time.dateTime), format = time.dataset.format;
      if (Number.isNaN(at.getTime())) continue;
      let text = format === "date" ? dayOf(at)
        : format === "datetime" ? dayOf(at) + ", " + clock.format(at) + " " + zoneOf(at) : distance(at, now);
      if (format === "relative") text = text[0].toUpperCase() + text.slice(1);
      time.textContent = text;
    }
  };

  // Switches that are on for some of the things; once pressed they count for all.
  const mixed = (from) => {
    for (const box of all("input[data-mixed]", from)) box.indeterminate = true;
  };
  document.addEventListener("change", (event) => {
    const of = event.target.id && document.querySelector('[data-mixed-of="' + CSS.escape(event.target.id) + '"]');
    if (of) of.disabled = true;
  }, true);

  // Copy, or select where the browser keeps the clipboard back.
  const copies = (from) => {
    for (const button of all("[data-copy]", from)) button.hidden = false;
  };
  const copy = async (button) => {
    const source = document.querySelector(button.dataset.copy);
    if (!source) return;
    const words = button.querySelector("span"), before = words && words.textContent;
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      done = "Selected: press Ctrl+C";
    }
    say(done);
    if (words) {
      words.textContent = done;
      setTimeout(() => { words.textContent = before; }, 2500);
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  // "/" and Ctrl+K lead to the search.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    const k = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
    if (!slash && !k) return;
    const side = document.getElementById("side"), search = document.getElementById("search");
    if (!search) return;
    event.preventDefault();
    if (!search.checkVisibility() && side) side.showPopover();
    search.focus();
    search.select();
  });

  // A fetched page gives one of its elements; focus and what is being typed stay.
  const parse = (text) => {
    if (!Document.parseHTML) return null;
    try {
      return Document.parseHTML(text, { sanitizer: { removeElements: ["script", "style", "iframe", "object", "embed"] } });
    } catch {
      return null;
    }
  };
  const live = Boolean(Document.parseHTML);
  let latest = 0;
  const replace = async (selector, address, options) => {
    const old = document.querySelector(selector);
    if (!old || !live) return false;
    const mine = ++latest;
    old.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { credentials: "same-origin", ...options });
      if (!answer.ok || answer.redirected) throw new Error();
      const page = parse(await answer.text());
      const fresh = page && page.querySelector(selector);
      if (mine !== latest) return false;
      if (!fresh) throw new Error();
      const active = document.activeElement, inside = old.contains(active) && active.id;
      const open = [...all("details[open][id]", old)].map((d) => d.id);
      old.replaceWith(document.adoptNode(fresh));
      for (const id of open) if (document.getElementById(id)) document.getElementById(id).open = true;
      const again = inside && document.getElementById(inside);
      if (again) {
        if (active.selectionStart != null) {
          again.value = active.value;
          again.focus();
          again.setSelectionRange(active.selectionStart, active.selectionEnd);
        } else again.focus();
      }
      ready(fresh);
      say(fresh.dataset.status || "");
      return true;
    } catch {
      old.removeAttribute("aria-busy");
      return false;
    }
  };

  // Live search: a GET form with data-search. Live forms: a POST form with data-live, go=refresh.
  let timer;
  const soon = (act) => { clearTimeout(timer); timer = setTimeout(act, 250); };
  const refresh = (form) => {
    const body = new URLSearchParams(new FormData(form));
    body.set("go", "refresh");
    replace(form.dataset.live, form.getAttribute("action"), { method: "POST", body });
  };
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (event.target.type !== "search" || !form) return;
    if (form.dataset.search) soon(async () => {
      const address = form.getAttribute("action") + "?" + new URLSearchParams(new FormData(form));
      if (await replace(form.dataset.search, address)) history.replaceState(null, "", address);
    });
    else if (form.dataset.live && live) soon(() => refresh(form));
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && form.dataset.live && live && event.target.matches("[type=checkbox], [type=radio], [type=date], select")) refresh(form);
  });

  // One request a press: the button rests until the page is shown again.
  let resting = [];
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    if (form.method !== "post") return;
    form.dataset.sent = "1";
    resting.push(form);
    // Later, so that the pressed button's own name and value are still sent.
    setTimeout(() => {
      for (const button of all("button[type=submit]", form)) button.setAttribute("aria-busy", "true");
    });
  });

  // Secrets: gone when the page is left, and a page that comes back without them leads on.
  addEventListener("pagehide", () => {
    for (const secret of all("[data-wipe]")) secret.textContent = "";
  });
  addEventListener("pageshow", (event) => {
    for (const form of resting) {
      delete form.dataset.sent;
      for (const button of all("[aria-busy]", form)) button.removeAttribute("aria-busy");
    }
    resting = [];
    const leave = event.persisted && document.querySelector("[data-leave]");
    if (leave) location.replace(leave.dataset.leave);
    else if (event.persisted && document.querySelector("[data-wipe]")) location.reload();
  });

  // Browsers leave a half-hidden link where it is when it gets the focus: the matrix scrolls to it whole.
  document.addEventListener("focusin", (event) => {
    if (event.target.closest(".matrix-box td, .matrix-box th")) {
      event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  });

  const ready = (from) => { times(from); mixed(from); copies(from); };
  ready(document);
  if (!live) for (const hidden of all(".js-hide")) hidden.classList.remove("js-hide");
  const errors = document.getElementById("errors");
  if (errors) errors.focus();
  setInterval(() => times(document), 60000);
})();
