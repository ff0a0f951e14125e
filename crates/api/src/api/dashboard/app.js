// The page: who may see it, which view is shown, how old it is, and what is said aloud. It opens the one stream of this
// tab and gives every view the shop as it is known.

import { ask, forget, keep, known, onLost } from "./api.js";
import { element, lasting, money, roving, settle, short, speak, write } from "./dom.js";
import { view as cameras } from "./cameras.js";
import { view as devices } from "./devices.js";
import { view as floor } from "./floor.js";
import { view as ledger } from "./money.js";
import { empty, trouble } from "./parts.js";
import { view as receipts } from "./receipts.js";
import { view as review } from "./review.js";
import { view as shelves } from "./shelves.js";
import { Shop } from "./shop.js";
import { Stream } from "./stream.js";
import { Tabs } from "./tabs.js";
import { TimeLine } from "./timeline.js";
import { view as today } from "./today.js";

const VIEWS = [floor, cameras, shelves, review, receipts, ledger, devices, today];
/** Data older than this are late, and than that stale; seconds. */
const LATE_SECS = 1;
const STALE_SECS = 5;
/** Something is said aloud so often at most. */
const SAY_MS = 4_000;
const SCHEMES = ["auto", "light", "dark"];

const $ = (id) => document.getElementById(id);
let shop = null;
let stream = null;
let tabs = null;
let line = null;
let shown = null;
let clocks = 0;
let told = "";
let session = null;
const speech = [];

function enter() {
  session = new AbortController();
  shop = new Shop();
  $("door").hidden = true;
  $("views").hidden = $("state").hidden = false;
  stream = new Stream(
    (name, data) => shop.take(name, data),
    (state) => shop.setLink(state),
  );
  tabs = new Tabs((held) => stream.hold(held));
  voice(shop, session.signal);
  shop.on("link", linked, session.signal);
  shop.on(
    "snapshot",
    () => {
      if (!shop.floor) plan();
    },
    session.signal,
  );
  shop.on("replay", recorded, session.signal);
  shop.on("jump", again, session.signal);
  plan();
  who();
  clocks = setInterval(age, 250);
  route();
}

/** Asks who holds this token, and marks what is not for them; whoever may see nothing here is told where they can. */
async function who() {
  const mine = shop;
  try {
    const { role } = await ask("v1/me", { signal: session.signal });
    if (mine !== shop) return;
    bar(role);
    const first = VIEWS.find((view) => view.roles.includes(role));
    if (first && !location.hash && !VIEWS[0].roles.includes(role)) go(first.name);
    if (!first) leave(`This token is of the role ${role}${role === "shopper" ? ": its page is /visit" : ""}.`);
  } catch {
    // What is refused says the same, one by one.
  }
}

/** The connection of the stream changed. */
function linked() {
  const { word, detail } = shop.link;
  if (word === "unknown") leave(detail);
  if (word !== "refused") return;
  bar((/role (\w+)/.exec(detail) || [])[1]);
  if (!location.hash) go("review");
}

/** This server shows a recording. */
function recorded() {
  if (!line) line = new TimeLine($("timeline"), { shop, go, say, signal: session.signal });
}

/** What is shown is of another time: the view begins anew. */
function again() {
  if (!shown) return;
  const part = /^#\/[a-z]+\/(.+)$/.exec(location.hash);
  show(shown.view, part ? decodeURIComponent(part[1]) : undefined);
}

/** Marks the views that are not for a role. */
function bar(role) {
  for (const link of $("views").children) {
    const view = VIEWS.find((one) => one.name === link.dataset.view);
    const barred = role !== undefined && !view.roles.includes(role);
    link.classList.toggle("barred", barred);
    if (barred) link.title = `Needs a token of the role ${view.roles.join(" or ")}`;
    else link.removeAttribute("title");
  }
}

/** Asks for the floor, until it is there. */
async function plan() {
  const mine = shop;
  try {
    const found = await ask("v1/floor", { signal: session.signal });
    if (mine !== shop) return;
    speak(found.locale, found.timezone);
    shop.setFloor(found);
    write($("shop"), shop.name);
    document.title = `${shop.name} · aisle`;
    shop.floorTrouble = null;
  } catch (error) {
    if (mine !== shop || !session || session.signal.aborted) return;
    shop.floorTrouble = error;
    shop.tell("floor-trouble", error);
    if (error.status !== 403 && error.status !== 404)
      setTimeout(() => {
        if (mine === shop && !shop.floor) plan();
      }, 3_000);
  }
}

function leave(why) {
  forget();
  if (session) session.abort();
  session = null;
  if (tabs) tabs.end();
  if (stream) stream.end();
  clearInterval(clocks);
  tabs = stream = shop = line = null;
  $("timeline").hidden = true;
  $("timeline").replaceChildren();
  speech.length = 0;
  told = $("said").textContent = "";
  show(null);
  $("views").hidden = $("state").hidden = $("stale").hidden = true;
  bar(undefined);
  $("door").hidden = false;
  write($("wrong"), typeof why === "string" ? why : "");
  write($("shop"), "");
  document.title = "aisle";
  $("token").focus();
}

/** The view and what is chosen in it, from the address: `#/floor/17`. */
function route() {
  if (!shop) return;
  const [, name, chosen] = /^#\/([a-z]+)(?:\/(.+))?$/.exec(location.hash) || [];
  const view = VIEWS.find((one) => one.name === name) || VIEWS[0];
  const part = chosen === undefined ? undefined : decodeURIComponent(chosen);
  if (shown && shown.view === view && shown.made && shown.made.choose) return shown.made.choose(part);
  show(view, part);
}

function go(name, chosen) {
  const hash = `#/${name}${chosen ? `/${encodeURIComponent(chosen)}` : ""}`;
  if (location.hash === hash) route();
  else location.hash = hash;
}

function show(view, chosen) {
  if (shown) shown.control.abort();
  shown = null;
  $("view").replaceChildren();
  if (!view) return;
  const control = new AbortController();
  const root = element("div", { className: `view ${view.name}-view` });
  shown = { view, control };
  $("view").replaceChildren(root);
  for (const link of $("views").children) {
    if (link.dataset.view === view.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const current = $("views").querySelector("[aria-current]");
  settle($("views"), "a", current);
  current.scrollIntoView({ block: "nearest", inline: "center" });
  const refuse = (error) => {
    if (error.role) bar(error.role);
    root.replaceChildren(trouble(error, view.roles));
  };
  const begin = () => {
    if (control.signal.aborted) return;
    root.replaceChildren();
    shown.made = view.mount(root, { shop, go, refuse, say, signal: control.signal }, chosen);
  };
  if (view.floorless || shop.floor) return begin();
  root.append(empty("Asking for the shop…"));
  const once = { done: false };
  const first = () => {
    if (!once.done) {
      once.done = true;
      begin();
    }
  };
  // A view that can do without the floor waits for its names and its language all the same.
  const without = (error) => (view.barely ? first() : refuse(error));
  shop.on("floor", first, control.signal);
  shop.on("floor-trouble", without, control.signal);
  if (shop.floorTrouble) without(shop.floorTrouble);
}

/** How old what is shown is, in words and colour. */
function age() {
  if (!shop) return;
  const { word, until, detail } = shop.link;
  const behind = shop.behind();
  const silent = stream.silent() / 1000;
  const live = word === "open" && silent < 20;
  let text;
  let state = "fresh";
  if (word === "held") [text, state] = ["paused: other tabs watch", "stale"];
  else if (word === "refused") [text, state] = ["not live: this token may not watch", "quiet"];
  else if (!live)
    [text, state] = [
      word === "opening" && !shop.cartsAt ? "connecting…" : "not connected",
      shop.cartsAt || word === "broken" ? "stale" : "late",
    ];
  else if (shop.play) text = shop.play.playing ? `recording, ${shop.play.speed} ×` : "recording, paused";
  else if (behind === null) text = "live, nobody inside";
  else {
    text = `${behind < 10 ? behind.toFixed(1) : Math.round(behind)} s behind`;
    if (STALE_SECS < behind) state = "stale";
    else if (LATE_SECS < behind) state = "late";
  }
  write($("age"), text);
  if ($("age").dataset.state !== state) $("age").dataset.state = state;
  const stale = state === "stale";
  document.body.classList.toggle("is-stale", stale);
  $("stale").hidden = !stale;
  if (stale) {
    const old = behind === null ? "" : ` What you see is ${lasting(behind)} old.`;
    const next = until ? Math.max(0, Math.ceil((until - performance.now()) / 1000)) : 0;
    write(
      $("stale-words"),
      live
        ? `The shop is late.${old}`
        : word === "held"
          ? `Paused: other tabs of this browser watch, and it gives a server few connections.${old}`
          : `Not live: ${detail || "waiting for the server"}.${old}${next ? ` Next try in ${next} s.` : ""}`,
    );
    $("again").hidden = live;
  }
  if (told !== state) {
    // The words of the banner run; said aloud is the change.
    if (stale) say(`Not live any more: ${live ? "the shop is late" : detail || "no connection"}`);
    else if (told === "stale") say("Live again");
    told = state;
  }
}

/** Says something to those who listen, never more than a few words at a time. */
function say(text) {
  speech.push(text);
  if (3 < speech.length) speech.shift();
}

setInterval(() => {
  if (speech.length) $("said").textContent = `${speech.splice(0).join(". ")}.`;
}, SAY_MS);

function voice(heard, signal) {
  heard.on("entered", (visit) => say(`Shopper ${short(visit.id)} came in`), signal);
  heard.on(
    "receipt",
    (receipt) => {
      if (10_000 < heard.now() - receipt.at) return;
      say(
        `Shopper ${short(receipt.visit)} left: ${receipt.lines.length ? money(receipt.total) : "nothing bought"}${receipt.for_review ? ", waits for a person" : ""}`,
      );
    },
    signal,
  );
  heard.on(
    "truth",
    (truth) => {
      if (!truth.right) say(`The receipt of shopper ${short(truth.visit)} is wrong`);
    },
    signal,
  );
  heard.on(
    "health",
    ({ device, before }) => {
      if (before && before.health !== device.health) say(`${device.device} is ${device.health}`);
    },
    signal,
  );
}

function scheme(next) {
  const now = SCHEMES.includes(localStorage.getItem("scheme")) ? localStorage.getItem("scheme") : "auto";
  const chosen = next ? SCHEMES[(SCHEMES.indexOf(now) + 1) % SCHEMES.length] : now;
  localStorage.setItem("scheme", chosen);
  document.documentElement.dataset.scheme = chosen;
  const words = `Colours: ${chosen === "auto" ? "as the device has them" : chosen}`;
  $("scheme").title = words;
  $("scheme").setAttribute("aria-label", `${words}; press for the next`);
  document.dispatchEvent(new Event("scheme"));
}

$("views").append(...VIEWS.map((view) => element("a", { href: `#/${view.name}`, "data-view": view.name }, view.title)));
roving($("views"), "a");
$("door").onsubmit = async (event) => {
  event.preventDefault();
  const secret = $("token").value.trim();
  if (!/^[!-~]+$/.test(secret)) return write($("wrong"), "That is no token: it has letters that none has.");
  $("token").value = "";
  write($("wrong"), "");
  keep(secret);
  enter();
};
$("leave").onclick = () => leave();
$("again").onclick = () => {
  tabs.look();
  stream.now();
};
$("scheme").onclick = () => scheme(true);
$("skip").onclick = (event) => {
  event.preventDefault();
  $("view").focus();
};
onLost((detail) => {
  if (shop) leave(detail);
});
window.addEventListener("hashchange", route);
scheme(false);
if (known()) enter();
else leave();
