// The shopper's page: lets in with a link or a code, follows one stay, and paints it. What it shows comes whole with every change,
// so a part is painted anew only where it says something else.

import { ask, forget, keep, known, onLost, Turns } from "./api.js";
import { Contests } from "./contest.js";
import { dataPart, save } from "./data.js";
import { day, element, hour, instant, money, speak, write } from "./dom.js";
import { Stream } from "./stream.js";
import { ago, change, language, t, TEXTS } from "./texts.js";

/** The stream is silent for so long at most; then what is shown is old. */
const SILENT_MS = 20_000;
/** So often it is asked where there is no stream. */
const ASK_MS = 4_000;
/** A page that nobody sees gives its stream back after so long, so that others have it. */
const HIDDEN_MS = 10_000;
const SAY_MS = 2_500;
const CODE_LETTERS = 8;

const $ = (id) => document.getElementById(id);
const speech = [];
let session = null;

/** One holder of a key: what they may see, and what is known of it. */
class Session {
  constructor() {
    this.control = new AbortController();
    this.contests = new Contests(() => this.paint(), say);
    this.parts = new Map();
    this.link = { word: "opening" };
    this.heard = 0;
    this.begin();
  }

  async begin() {
    paint(element("h1", { className: "loading" }, t("loading")));
    try {
      this.me = await ask("v1/me", { signal: this.control.signal });
    } catch (error) {
      if (this.control.signal.aborted || error.status === 401) return;
      // Everything else passes; what was typed stays valid.
      const text = t(error.status === 429 ? "too_many" : "unreachable");
      paint(
        element(
          "div",
          { className: "card" },
          element("h1", { role: "alert" }, text),
          again(() => this.begin()),
        ),
      );
      return;
    }
    if (this.me.role !== "shopper") return leave(t("not_for"));
    this.frame();
    this.list();
    if (this.me.cart) this.follow(this.me.cart);
    else this.paint();
  }

  /** Looks at a stay, instead of the one that was looked at before. */
  follow(cart) {
    this.unfollow();
    this.cart = cart;
    this.visit = null;
    for (const name of ["people", "doubts"]) this.put(name);
    this.paint();
    const path = `v1/carts/${cart}`;
    this.stream = new Stream(
      (_, visit) => this.take(visit),
      (link) => {
        this.link = link;
        this.age();
      },
      `${path}/live`,
    );
    const turn = async (signal) => {
      if (this.visit && this.isLive()) return;
      this.take(await ask(`${path}/visit`, { signal }));
    };
    this.turns = new Turns(ASK_MS, turn, () => this.age());
    this.clock = setInterval(() => this.age(), 500);
  }

  unfollow() {
    if (!this.stream) return;
    this.stream.end();
    this.turns.end();
    clearInterval(this.clock);
    this.stream = null;
  }

  end() {
    this.control.abort();
    this.contests.end();
    this.unfollow();
  }

  isLive() {
    return this.stream && this.link.word === "open" && this.stream.silent() < SILENT_MS;
  }

  take(visit) {
    const first = !this.visit;
    if (!first) this.tell(this.visit, visit);
    this.visit = visit;
    this.heard = Date.now();
    const shops = visit.locale.split("-")[0] === language() ? visit.locale : TEXTS[language()].tag;
    speak(shops, visit.timezone);
    write($("shop"), visit.shop);
    document.title = `${t("title")} · ${visit.shop}`;
    this.paint();
    this.age();
  }

  /** Says aloud what was taken and put back. */
  tell(before, now) {
    const count = (visit) => {
      const goods = new Map();
      for (const guest of visit.people)
        for (const line of guest.lines) goods.set(line.name, (goods.get(line.name) || 0) + line.quantity);
      return goods;
    };
    const [was, is] = [count(before), count(now)];
    for (const [name, quantity] of is) if ((was.get(name) || 0) < quantity) say(t("added", { name }));
    for (const [name, quantity] of was) if ((is.get(name) || 0) < quantity) say(t("removed", { name }));
  }

  /** The places in which parts are painted. */
  frame() {
    const places = ["top", "people", "doubts", "history", "data", "foot"];
    this.places = Object.fromEntries(places.map((name) => [name, element("div", { className: `part ${name}` })]));
    this.parts.clear();
    paint(...Object.values(this.places));
  }

  /** Paints a part, where it says something else than it did. */
  put(name, ...children) {
    const place = this.places[name];
    const next = element("div", {}, ...children);
    if (this.parts.get(name) === next.innerHTML) return;
    this.parts.set(name, next.innerHTML);
    const focus = place.contains(document.activeElement) && document.activeElement.dataset.key;
    place.replaceChildren(...next.childNodes);
    if (!focus) return;
    const same = place.querySelector(`[data-key="${CSS.escape(focus)}"]`);
    (same || $("view")).focus({ preventScroll: true });
  }

  paint() {
    if (!this.places) return;
    const { visit, me } = this;
    if (!visit && this.cart) this.put("top", element("h1", { className: "loading" }, t("loading")));
    if (visit) {
      this.put("top", head(visit));
      this.put("people", ...people(visit, me, this.contests));
      this.put("doubts", doubts(visit));
    }
    this.put("history", this.history());
    if (!this.parts.has("data"))
      this.put(
        "data",
        dataPart(me, () => leave(t("erased"))),
      );
    this.put("foot", this.foot());
  }

  history() {
    if (!this.past || this.past.length < 2) return null;
    const row = (one) =>
      element(
        "li",
        {},
        element(
          "button",
          {
            type: "button",
            className: "row",
            "data-key": one.cart,
            "aria-current": String(one.cart === this.cart),
            onclick: () => this.follow(one.cart),
          },
          element("span", {}, day(one.left_at || one.entered_at)),
          element("span", { className: "amount" }, amount(one.total)),
        ),
      );
    return element(
      "details",
      { className: "card" },
      element("summary", {}, t("history_title")),
      element("ul", { className: "past" }, ...this.past.map(row)),
    );
  }

  async list() {
    if (!this.me.may.includes("receipt.list")) return;
    try {
      const path = `v1/shoppers/${this.me.shopper}/receipts?limit=20`;
      this.past = (await ask(path, { signal: this.control.signal })).items;
      this.paint();
    } catch {
      // The page is as useful without it.
      this.past = null;
    }
  }

  foot() {
    const until = this.me.ends_at ? element("p", {}, t("ends", { day: day(this.me.ends_at) })) : null;
    const out = element("button", { type: "button", className: "quiet", onclick: () => leave("") }, t("sign_out"));
    return element("footer", {}, until, element("p", {}, out));
  }

  /** How old it is what is shown. */
  age() {
    if (!this.visit) return;
    const over = this.visit.people.every((guest) => guest.state === "settled");
    const live = this.isLive();
    // Where there is no stream it is asked again and again.
    const old = !live && ASK_MS * 2 < Date.now() - this.heard;
    $("age").hidden = old || (over && !live);
    $("age").className = live ? "is-live" : "";
    write($("age"), live ? t("live") : t("connecting"));
    $("stale").hidden = !old;
    document.body.classList.toggle("is-stale", old);
    if (old) write($("stale-words"), t("stale", { ago: ago(Date.now() - this.heard) }));
  }
}

const amount = (total) => (total ? money(total) : t("no_price"));
const isOpen = (guest) => guest.state === "open" && guest.receipt === null;
/** Whether nobody came in. */
const isVoid = (guest) => guest.state === "settled" && guest.receipt === null;

/** What it is about: the cart, the wait for a person, the receipt; with the sum. */
function head(visit) {
  const all = visit.people;
  const open = all.some(isOpen);
  const waits = !open && all.some((guest) => guest.state === "review");
  if (all.every(isVoid))
    return element(
      "section",
      { className: "card" },
      element("h1", {}, t("over_title")),
      element("p", {}, t("over_note")),
    );
  const empty = all.every((guest) => guest.lines.length === 0);
  const left = all.every((guest) => guest.left_at !== null);
  const word = open ? "cart" : waits ? "waiting" : "receipt";
  const note = open
    ? t(left ? "left_note" : empty ? "cart_empty" : "cart_note")
    : waits
      ? t("waiting_note")
      : empty
        ? t("receipt_empty")
        : null;
  const ends = all.map((guest) => guest.left_at).filter(Boolean);
  const times = [t("came", { time: hour(visit.entered_at) })];
  if (!open && ends.length) times.push(t("left", { time: hour(ends.sort().at(-1)) }));
  return element(
    "section",
    { className: `card sum ${word}` },
    element("h1", {}, t(`${word}_title`)),
    empty
      ? null
      : element(
          "p",
          { className: "total" },
          element("span", {}, t(open ? "total_now" : "total")),
          element("strong", {}, amount(visit.total)),
        ),
    note ? element("p", { className: "note" }, note) : null,
    ...(open ? [] : standings(all)),
    element("p", { className: "times" }, times.join(" · ")),
  );
}

/** Where the money is, of all together where it is the same. */
function standings(all) {
  const words = new Map();
  for (const guest of all) {
    if (!guest.standing || !guest.lines.length) continue;
    const { money: paid } = guest;
    const unpaid = guest.standing === "due" && paid && paid.standing === "unpaid";
    const word = unpaid ? "unpaid" : guest.standing;
    const sums = words.get(word) || {};
    if (paid && ["paid", "credited"].includes(word)) sums.charged = plus(sums.charged, paid.paid);
    if (paid && word === "review") sums.held = plus(sums.held, paid.held);
    words.set(word, sums);
  }
  return [...words].map(([word, { charged, held }]) =>
    element(
      "p",
      { className: "standing" },
      element("span", { className: `tag ${word}` }, t(`standing_${word}`)),
      charged ? element("span", {}, t("charged", { amount: money(charged) })) : null,
      held ? element("span", {}, t("held", { amount: money(held) })) : null,
    ),
  );
}

/** The sum of two amounts of one currency; what is nothing is left out. */
const plus = (one, other) => (!other || !other.minor ? one : one ? { ...one, minor: one.minor + other.minor } : other);

/** The goods, of everybody who came in together. */
function people(visit, me, contests) {
  const some = visit.people.filter((guest) => !isVoid(guest));
  const group = 1 < visit.people.length;
  const pays = me.pass === "code" ? t("host_pays") : t("you_pay");
  return [
    group ? element("h2", {}, t("group_title")) : null,
    group ? element("p", { className: "note" }, pays) : null,
    ...some.map((guest) => {
      // Who of them holds the phone is not known.
      const number = visit.people.indexOf(guest);
      const name = t("person", { number: number + 1 });
      return goods(guest, group ? name : null, contests, number === 0);
    }),
  ];
}

function goods(guest, name, contests, first) {
  if (!guest.lines.length && !name) return guest.receipt === null ? null : below(guest, contests, first);
  return element(
    "section",
    { className: "card", "aria-label": name || t("title") },
    name
      ? element(
          "h3",
          {},
          element("span", {}, name),
          element("span", { className: "amount" }, guest.lines.length ? amount(guest.total) : t("nothing")),
        )
      : null,
    guest.lines.length
      ? element("ul", { className: "lines" }, ...guest.lines.map((line) => item(line, guest, contests)))
      : null,
    ...guest.taxes.map((tax) =>
      element(
        "p",
        { className: "tax" },
        element("span", {}, t("tax", { name: tax.name, rate: share(tax.rate) })),
        element("span", { className: "amount" }, money(tax.tax)),
      ),
    ),
    guest.receipt === null ? null : below(guest, contests, first),
  );
}

/** A rate of hundredths of a percent. */
const share = (points) =>
  new Intl.NumberFormat(TEXTS[language()].tag, { style: "percent", maximumFractionDigits: 2 }).format(points / 10_000);

/** A name whose last word, such as a unit, does not stand alone on a line. */
const kept = (name) => name.replace(/ (\S{1,3})$/, "\u00a0$1");

function item(line, guest, contests) {
  const unsure = line.certainty !== "sure" && guest.standing !== "paid";
  return element(
    "li",
    { className: unsure ? line.certainty : "" },
    element("span", { className: "count" }, `${line.quantity} ×`),
    element(
      "span",
      { className: "name" },
      element("span", {}, kept(line.name)),
      1 < line.quantity && line.unit_price ? element("small", {}, t("each", { price: money(line.unit_price) })) : null,
      ...line.discounts.map((off) => element("small", { className: "off" }, `${off.name} −${money(off.amount)}`)),
    ),
    element("span", { className: "amount" }, amount(line.amount)),
    unsure ? element("span", { className: `tag ${line.certainty}` }, t(`certainty_${line.certainty}`)) : null,
    guest.receipt === null ? null : contests.part(guest, line, instant(guest.contest_until)),
  );
}

/** What can be done with a receipt. */
function below(guest, contests, first) {
  const until = instant(guest.contest_until);
  const file = () => save(`v1/receipts/${guest.cart}`, "text/html", `${guest.cart}.html`).catch(() => say(t("failed")));
  return element(
    "div",
    { className: "below" },
    contests.part(guest, null, until),
    element(
      "p",
      { className: "note" },
      until < Date.now() ? t("contest_ended") : t("contest_until", { day: day(guest.contest_until) }),
    ),
    element(
      "p",
      { className: "buttons" },
      first
        ? element(
            "button",
            { type: "button", "data-key": `print ${guest.cart}`, onclick: () => window.print() },
            t("print"),
          )
        : null,
      element("button", { type: "button", "data-key": `save ${guest.cart}`, onclick: file }, t("save")),
    ),
  );
}

/** What is not sure, in sentences. */
function doubts(visit) {
  const sentence = (doubt, guest) => {
    const line = guest.lines.find((one) => one.sku === doubt.sku);
    const values = line ? { name: line.name, count: line.quantity } : { name: doubt.sku, count: 0 };
    return element("li", {}, t(`doubt_${doubt.doubt}`, values));
  };
  const all = visit.people.flatMap((guest) => guest.doubts.map((doubt) => sentence(doubt, guest)));
  if (!all.length) return null;
  const open = visit.people.some(isOpen);
  const waits = visit.people.some((guest) => guest.state === "review");
  return element(
    "section",
    { className: "card doubt" },
    element("h2", {}, t(open || waits ? "doubts_title" : "notes_title")),
    element("ul", {}, ...all),
    open || waits ? element("p", { className: "note" }, t(open ? "doubts_open" : "doubts_review")) : null,
  );
}

const again = (act) =>
  element("p", {}, element("button", { type: "button", className: "main", onclick: act }, t("try_now")));
const paint = (...children) => $("view").replaceChildren(...children.filter(Boolean));

function say(text) {
  speech.push(text);
  if (4 < speech.length) speech.shift();
}

setInterval(() => {
  if (speech.length) $("said").textContent = speech.splice(0).join(" ");
}, SAY_MS);

/** What somebody typed as a key: a code, or what a link has behind its sign. */
function typed(text) {
  const link = /(aisle_[\w-]+)\s*$/.exec(text);
  if (link) return link[1];
  const code = text.replace(/[\s-]/g, "");
  return /^[0-9a-z]+$/i.test(code) && code.length === CODE_LETTERS ? code.toUpperCase() : null;
}

/** Asks for the code. */
function door(why) {
  const wrong = element("p", { className: "wrong", role: "alert", id: "wrong" }, why || "");
  const input = element("input", {
    id: "code",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: false,
    required: true,
    "aria-describedby": "wrong",
  });
  const form = element(
    "form",
    { className: "card door" },
    element("h1", {}, t("door_title")),
    element("p", {}, t("door_help")),
    element("label", { htmlFor: "code" }, t("door_label")),
    input,
    wrong,
    element("button", { className: "main" }, t("door_enter")),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const key = typed(input.value);
    if (!key) return write(wrong, t("door_wrong"));
    enter(key);
  };
  paint(form);
}

function enter(key) {
  keep(key);
  if (session) session.end();
  session = new Session();
  $("view").focus({ preventScroll: true });
}

function leave(why) {
  forget();
  if (session) session.end();
  session = null;
  // Who goes back in the history must not come in again with what has ended.
  history.replaceState(null, "", location.pathname);
  for (const id of ["age", "stale"]) $(id).hidden = true;
  document.body.classList.remove("is-stale");
  write($("shop"), "aisle");
  door(why);
}

/** Everything that stands in the page itself. */
function words() {
  document.documentElement.lang = TEXTS[language()].tag;
  document.title = t("title");
  write($("language"), t("other"));
  $("language").lang = Object.values(TEXTS).find((texts) => texts.other !== t("other")).tag;
  write($("again"), t("try_now"));
}

function open() {
  const key = typed(decodeURIComponent(location.hash.slice(1)));
  if (key) enter(key);
  else if (known()) session = new Session();
  else door("");
}

$("language").onclick = () => {
  change();
  words();
  if (!session || !session.places) return open();
  session.frame();
  if (session.visit) session.take(session.visit);
  else session.paint();
};
$("again").onclick = () => {
  if (!session || !session.stream) return;
  session.stream.now();
  session.turns.run();
};
onLost(() => leave(t("pass_unknown")));
window.addEventListener("hashchange", () => {
  if (location.hash.length > 1) open();
});
let hidden = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  const hold = (held) => session && session.stream && session.stream.hold(held);
  if (document.hidden) hidden = setTimeout(() => hold(true), HIDDEN_MS);
  else hold(false);
});
words();
open();
