"use strict";

// Everything that comes from the API is put into the page as text, never as markup.

const $ = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") || "";
let open = null;
let shown = 0;

class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.status = problem.status;
  }
}

async function ask(path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  const request = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) };
  const answer = await fetch(path, request).catch(() => null);
  if (!answer) throw new Refused({ status: 0, detail: "The server cannot be reached." });
  const text = await answer.text();
  let json = null;
  try { json = JSON.parse(text); } catch { json = { status: answer.status, title: answer.statusText }; }
  if (!answer.ok) throw new Refused(json);
  return json;
}

function element(name, fields, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(fields || {})) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
const percent = (chance) => `${(chance * 100).toFixed(1)} %`;

function money(amount) {
  if (!amount) return "no price";
  const format = new Intl.NumberFormat([], { style: "currency", currency: amount.currency });
  return format.format(amount.minor / 10 ** amount.exponent);
}

const concerns = {
  doubt: (c) => `only ${percent(c.probability)} sure, the bar is ${percent(c.bar)}`,
  no_price: (c) => `${c.sku} has no price`,
  interrupted: (c) => `interrupted: ${c.detail}`,
  no_payer: () => "nobody is known to pay",
  tailgated: ({ behind }) => `came in behind ${behind} without a scan`,
  contested: (c) => `contested${c.skus.length ? `: ${c.skus.join(", ")}` : ""}`,
  disputed: (c) => `disputed at the bank: ${money(c.amount)}`,
  recomputed: () => "the visit came out differently later",
  unpaid: (c) => `not paid: ${c.code}`,
};
const concern = (c) => (concerns[c.concern] || ((other) => other.concern))(c);

function trouble(error) {
  $("trouble").hidden = !error;
  $("trouble").textContent = error ? error.message : "";
  if (error && error.status === 401) leave();
}

function leave() {
  token = "";
  sessionStorage.removeItem("token");
  $("desk").hidden = $("who").hidden = true;
  $("door").hidden = false;
  $("token").focus();
}

async function load() {
  trouble(null);
  try {
    const page = await ask("/v1/cases?limit=200");
    sessionStorage.setItem("token", token);
    $("door").hidden = true;
    $("desk").hidden = $("who").hidden = false;
    $("count").textContent = `${page.items.length}${page.next ? "+" : ""} waiting`;
    $("list").replaceChildren(...page.items.map((item) => element("button", {
      type: "button",
      onclick: () => show(item.id),
      "aria-current": String(item.id === open),
      "data-id": item.id,
    }, element("strong", {}, item.concerns.map(concern).join("; ")), element("span", {}, day(item.opened)))));
    await products();
    const still = page.items.find((item) => item.id === open) || page.items[0];
    if (still) await show(still.id);
    else $("case").replaceChildren(element("p", { className: "empty" }, "Nothing waits. Well done."));
  } catch (error) { trouble(error); }
}

async function products() {
  if ($("products").children.length) return;
  for (let after = null, pages = 0; pages < 50; pages += 1) {
    const page = await ask(`/v1/products?limit=200${after ? `&after=${encodeURIComponent(after)}` : ""}`);
    $("products").append(...page.items.map((item) => element("option", { value: item.sku }, `${item.name}, ${money(item.price)}`)));
    after = page.next;
    if (!after) return;
  }
}

async function show(id) {
  open = id;
  const turn = ++shown;
  for (const button of $("list").children) button.setAttribute("aria-current", String(button.dataset.id === id));
  try {
    const file = await ask(`/v1/cases/${id}`);
    // Somebody may have clicked on while this was on its way.
    if (turn === shown) $("case").replaceChildren(...picture(file));
  } catch (error) { trouble(error); }
}

function picture(file) {
  const receipt = file.receipt;
  const head = receipt
    ? `Visit ${receipt.visit}, ${day(receipt.entered)} to ${clock(receipt.left)}`
    : `Cart since ${day(file.cart.entered_at)}`;
  const words = file.case.concerns.filter((c) => c.words).map((c) => element("blockquote", {}, c.words));
  const payer = file.cart.payment ? `${file.cart.payment.standing}, ${file.cart.payment.provider}` : "nobody known";
  const lines = receipt ? new Lines(receipt) : null;
  const note = element("textarea", { placeholder: "Why, if it is not plain", maxLength: 2000 });
  const decide = (decision) => verdict(file.case.id, decision, note.value, lines);
  const change = element("button", { type: "button", disabled: true, onclick: () => decide("change") }, "Book the changed lines");
  if (lines) lines.onchange = () => { change.disabled = !lines.changed(); };
  return [
    element("h2", {}, head),
    element("p", { className: "faint" }, `${file.cart.cart} · payment: ${payer}`),
    element("ul", { className: "tags" }, ...file.case.concerns.map((c) => element("li", {}, concern(c)))),
    ...words,
    receipt ? element("h3", {}, "Receipt") : null,
    lines ? lines.table : null,
    lines ? lines.adder : null,
    element("h3", {}, "How we know"),
    evidence(file.evidence || [], receipt),
    element("h3", {}, "Note"),
    note,
    element("p", { className: "decide" },
      element("button", { type: "button", className: "main", onclick: () => decide("accept") }, "Accept as it stands"),
      receipt ? change : null,
      receipt ? element("button", { type: "button", className: "wrong", onclick: () => decide("reject") }, "Reject: nothing is owed") : null),
  ].filter((part) => part !== null);
}

class Lines {
  onchange = () => {};

  constructor(receipt) {
    this.body = element("tbody");
    for (const line of receipt.lines) this.row(line.sku, line.name, line.quantity, line.quantity, line);
    const total = element("tfoot", {}, element("tr", {},
      element("td", {}, element("strong", {}, "Total as it stands")),
      element("td"), element("td", { className: "number" }, element("strong", {}, money(receipt.total))),
      element("td", { className: "number" }, percent(receipt.probability))));
    const heads = ["Product", "Units", "Amount", "Probability"];
    const head = element("thead", {}, element("tr", {}, ...heads.map((text, index) =>
      element("th", { className: index ? "number" : "" }, text))));
    this.table = element("table", {}, head, this.body, total);
    const sku = element("input", { placeholder: "Add a product by its code", "aria-label": "Product" });
    sku.setAttribute("list", "products");
    const add = () => {
      const option = [...$("products").children].find((option) => option.value === sku.value);
      if (!option) return sku.focus();
      this.row(sku.value, option.textContent, 0, 1, null);
      sku.value = "";
    };
    this.adder = element("p", { className: "add" }, sku, element("button", { type: "button", onclick: add }, "Add"));
  }

  row(sku, name, was, is, line) {
    const present = [...this.body.rows].find((row) => row.dataset.sku === sku);
    if (present) return present.querySelector("input").focus();
    const units = element("input", { type: "number", min: 0, max: 1000, value: is, "aria-label": `Units of ${name}` });
    const low = line && line.probability < 0.9;
    const row = element("tr", {},
      element("td", {}, name, element("div", { className: "sku" }, sku)),
      element("td", { className: "number" }, units),
      element("td", { className: "number" }, line ? money(line.amount) : "new"),
      element("td", { className: `number${low ? " low" : ""}` }, line ? percent(line.probability) : ""));
    row.dataset.sku = sku;
    const mark = () => { row.className = Number(units.value) === was ? "" : "changed"; };
    units.oninput = () => { mark(); this.onchange(); };
    mark();
    this.body.append(row);
    this.onchange();
  }

  changed() {
    return [...this.body.rows].some((row) => row.className === "changed");
  }

  goods() {
    const rows = [...this.body.rows].map((row) => ({ sku: row.dataset.sku, quantity: Number(row.querySelector("input").value) }));
    return rows.filter((goods) => goods.quantity !== 0);
  }
}

function evidence(moves, receipt) {
  const lines = new Map((receipt ? receipt.lines : []).map((line) => [line.sku, line]));
  const doubt = (move) => (lines.get(move.sku) || { probability: 0 }).probability;
  const listed = (sku) => [...$("products").children].find((option) => option.value === sku);
  const name = (sku) => (lines.get(sku) || { name: (listed(sku) || { textContent: sku }).textContent }).name;
  const visit = receipt && receipt.visit;
  if (!moves.length) return element("p", { className: "faint" }, "Nothing is kept about it: its time is over, or a person wrote the lines.");
  const entry = (name, ...value) => [element("dt", {}, name), element("dd", {}, ...value)];
  const card = (move) => {
    const known = move.evidence;
    const weight = known.weight;
    const off = Math.abs(weight.measured - weight.expected) > 3 * Math.max(weight.sigma, 1);
    // Whoever was surely not there only takes up room.
    const near = known.takers.filter((taker) => taker.visit === visit || 0.001 <= taker.share);
    const hands = near.map((taker) => element("div", {},
      `${taker.visit === visit ? "this shopper" : `visit …${String(taker.visit).slice(-4)}`}: `,
      element("meter", { min: 0, max: 1, value: taker.share }), ` ${percent(taker.share)}, `,
      taker.wrist_metres === null ? "wrist hidden" : `wrist at ${(taker.wrist_metres * 100).toFixed(0)} cm`));
    const notes = [known.misplaced ? "off its planned place" : null, weight.learned ? "weight learned from the plates" : null];
    return element("section", { className: "move" },
      element("p", {}, element("strong", {}, `${move.movement === "take" ? "Took" : "Put back"} ${move.quantity} × ${name(move.sku)}`)),
      element("dl", {},
        ...entry("When", `${clock(known.span.start)} to ${clock(known.span.end)}`),
        ...entry("Where", `shelf ${known.shelf}, plates ${known.plates.join(", ")}`),
        ...entry("Weight", element("span", { className: off ? "low" : "" },
          `${weight.measured.toFixed(1)} g ± ${weight.sigma.toFixed(1)}`), `, expected ${weight.expected.toFixed(1)} g`),
        ...entry("Hands", ...(hands.length ? hands : ["nobody was seen"])),
        ...(notes.some(Boolean) ? entry("Note", notes.filter(Boolean).join("; ")) : [])));
  };
  // What is least sure comes first.
  const sorted = [...moves].sort((a, b) => doubt(a) - doubt(b)
    || new Date(a.evidence.span.start) - new Date(b.evidence.span.start));
  return element("div", { className: "moves" }, ...sorted.map(card));
}

async function verdict(id, decision, note, lines) {
  const body = decision === "change" ? { decision, lines: lines.goods(), note } : { decision, note };
  const buttons = document.querySelectorAll(".decide button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    await ask(`/v1/cases/${id}/verdict`, body);
    open = null;
    await load();
  } catch (error) {
    trouble(error);
    buttons.forEach((button) => { button.disabled = false; });
  }
}

$("door").onsubmit = (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  $("token").value = "";
  load();
};
$("reload").onclick = load;
$("leave").onclick = leave;
if (token) load(); else leave();
