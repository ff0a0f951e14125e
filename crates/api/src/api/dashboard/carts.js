// The carts of all who are inside, as they look now: each line with the reason for it and how sure it is. A line that
// was corrected says so for a while; a visit that is over stays with its receipt for a moment.

import { element, lasting, money, number, percent, roving, settle, short, write } from "./dom.js";
import { chance, dot, empty } from "./parts.js";
import { LINGER_MS } from "./shop.js";
import { MARK_MS } from "./visit.js";

/** So many carts are brought up to date at a time. */
const AT_A_TIME = 3;

export class Carts {
  constructor(shop, go) {
    this.shop = shop;
    this.go = go;
    this.due = true;
    this.shown = [];
    this.at = 0;
    this.cards = new Map();
    this.count = element("span", { className: "count" });
    this.list = element("ul", { className: "carts" });
    this.none = empty("Nobody is inside.");
    this.root = element(
      "section",
      { className: "pane", "aria-labelledby": "carts-head" },
      element("header", { className: "pane-head" }, element("h2", { id: "carts-head" }, "Carts"), this.count),
      this.none,
      this.list,
    );
    roving(this.list, ".cart-head", true);
  }

  /** Brings the list up to date; the lines of a cart only where they changed. */
  paint() {
    this.due = true;
    this.at = 0;
    do this.step();
    while (this.at || this.pending(this.shop.now()));
  }

  /** The same a little at a time: called again and again, so that no frame of the plan is late for it. */
  step() {
    const now = this.shop.now();
    if (!this.at) this.begin(now);
    for (const visit of this.shown.slice(this.at, this.at + AT_A_TIME)) this.age(this.cards.get(visit.id), visit, now);
    this.at += AT_A_TIME;
    if (this.shown.length <= this.at) this.at = 0;
    const visit = this.pending(now);
    if (visit) this.fill(this.cards.get(visit.id), visit, now);
  }

  /** The visit whose cart has to be written anew and has waited longest; those in which only how sure they are has changed come last. */
  pending(now) {
    let best = null;
    for (const visit of this.shown) {
      const card = this.cards.get(visit.id);
      const isNew = card.version !== versionOf(visit) || card.marked !== isMarked(visit, now);
      if (!isNew && card.shade === visit.shade) continue;
      const is = { visit, isNew, filled: card.filled };
      if (!best || best.isNew < isNew || (best.isNew === isNew && is.filled < best.filled)) best = is;
    }
    return best && best.visit;
  }

  begin(now) {
    this.shown = [...this.shop.visits.values()].filter(
      (visit) => !visit.over || (visit.closed && now - visit.closed < LINGER_MS),
    );
    this.shown.sort((a, b) => Number(a.over) - Number(b.over) || b.entered - a.entered);
    const isOther = this.shown.length !== this.cards.size || this.shown.some((visit) => !this.cards.has(visit.id));
    if (this.due || isOther) this.arrange(this.shown);
    this.due = false;
    const inside = this.shown.filter((visit) => !visit.over).length;
    write(this.count, this.shop.cartsAt ? `${number(inside)} inside` : "");
    this.none.hidden = 0 < this.shown.length;
    write(
      this.none,
      this.shop.cartsAt
        ? "Nobody is inside."
        : this.shop.link.word === "refused"
          ? "This token may not see carts as they change."
          : "Waiting for the shop…",
    );
  }

  arrange(shown) {
    const named = new Set(shown.map((visit) => visit.id));
    for (const [id, card] of this.cards) {
      if (named.has(id)) continue;
      card.root.remove();
      this.cards.delete(id);
    }
    shown.forEach((visit, index) => {
      let card = this.cards.get(visit.id);
      if (!card) this.cards.set(visit.id, (card = this.card(visit)));
      if (this.list.children[index] !== card.root) this.list.insertBefore(card.root, this.list.children[index] || null);
    });
    const heads = [...this.list.querySelectorAll(".cart-head")];
    if (heads.length && !heads.some((head) => head.tabIndex === 0)) settle(this.list, ".cart-head", heads[0]);
  }

  card(visit) {
    const span = element("span", { className: "faint" });
    const sum = element("strong", { className: "sum" });
    const sure = element("span");
    const head = element(
      "button",
      { type: "button", className: "cart-head", tabIndex: -1, onclick: () => this.go("floor", visit.id) },
      dot(visit),
      element("span", { className: "who" }, `Shopper ${short(visit.id)}`),
      span,
      sum,
    );
    const lines = element("ul", { className: "lines" });
    const foot = element("p", { className: "cart-foot" });
    const root = element("li", { className: "cart" }, head, lines, foot);
    root.style.setProperty("--hue", visit.hue);
    return { root, span, sum, sure, lines, foot, rows: [], version: -1, shade: -1, marked: false, filled: 0 };
  }

  /** Writes how long the visit lasts. */
  age(card, visit, now) {
    const unseen = (now - visit.seen) / 1000;
    const away = !visit.over && 5 < unseen ? `, not seen for ${lasting(unseen)}` : "";
    write(card.span, visit.over ? "left" : `${lasting((now - visit.entered) / 1000)}${away}`);
    card.root.classList.toggle("away", away !== "");
    card.root.classList.toggle("over", visit.over);
  }

  fill(card, visit, now) {
    card.version = versionOf(visit);
    card.shade = visit.shade;
    card.marked = isMarked(visit, now);
    card.filled = now;
    const receipt = visit.receipt;
    const lines = receipt ? receipt.lines : [...visit.lines.values()];
    const sum = receipt ? receipt.total : visit.sum(this.shop);
    write(card.sum, lines.length ? (sum ? money(sum) : "") : "");
    // A row is made anew where it says something else.
    card.rows = lines.map((line, index) => {
      const key = said(line, visit, now);
      const kept = card.rows[index];
      return kept && kept.key === key ? kept : { key, root: row(line, visit, this.shop, now) };
    });
    settleIn(card.lines, [...card.rows.map((one) => one.root), ...this.gone(visit, now)]);
    const foot = [];
    if (receipt) foot.push(...standing(receipt, visit.truth));
    else if (visit.interrupted)
      foot.push(element("span", { className: "tag low" }, "a person will look at the receipt"));
    if (!receipt && !lines.length) foot.push(element("span", { className: "faint" }, "Nothing taken yet"));
    if (!receipt && 1 < lines.length)
      foot.push(element("span", { className: "faint" }, "whole cart "), chance(visit.probability));
    card.foot.replaceChildren(...foot);
    card.foot.hidden = !foot.length;
  }

  /** Lines that a correction took away. */
  gone(visit, now) {
    return [...visit.marks]
      .filter(([sku, mark]) => mark.has === 0 && now - mark.at < MARK_MS && !visit.lines.has(sku))
      .map(([sku, mark]) =>
        element(
          "li",
          { className: "line gone" },
          element("span", { className: "goods" }, element("b", {}, `${mark.had} ×`), ` ${this.shop.product(sku)}`),
          element("span", { className: "tag low" }, "corrected: not taken"),
        ),
      );
  }
}

const versionOf = (visit) => `${visit.version} ${visit.truth ? visit.truth.right : ""}`;

/** Whether something in a cart is marked as corrected. */
function isMarked(visit, now) {
  for (const mark of visit.marks.values()) if (now - mark.at < MARK_MS) return true;
  return false;
}

/** All that makes a row of a cart look as it does. */
function said(line, visit, now) {
  const mark = visit.mark(line.sku, now);
  const why = line.causes ? visit.reason(line) : "";
  return `${line.sku} ${line.quantity} ${percent(line.probability)} ${mark ? mark.had : ""} ${why} ${line.amount ? line.amount.minor : ""}`;
}

/** Puts these children into a list and takes out all others; those that stay where they are are not touched. */
function settleIn(list, children) {
  const stay = new Set(children);
  for (const child of [...list.children]) if (!stay.has(child)) child.remove();
  children.forEach((child, index) => {
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] || null);
  });
}

/** A line with its reason. */
export function row(line, visit, shop, now) {
  const mark = visit.mark(line.sku, now);
  const price = (shop.products.get(line.sku) || {}).price;
  const amount = line.amount || (price && { ...price, minor: price.minor * line.quantity });
  return element(
    "li",
    { className: `line${mark ? " marked" : ""}` },
    element(
      "span",
      { className: "goods" },
      element("b", {}, `${line.quantity} ×`),
      ` ${line.name || shop.product(line.sku)}`,
    ),
    element("span", { className: "amount" }, amount ? money(amount) : ""),
    element(
      "span",
      { className: "reason" },
      ...(mark && mark.has ? [element("span", { className: "tag low" }, `corrected, was ${mark.had}`), " "] : []),
      line.causes ? visit.reason(line) : "",
    ),
    chance(line.probability),
  );
}

/** What became of a receipt, and whether it was right where that is known. */
export function standing(receipt, truth) {
  const parts = [
    receipt.for_review
      ? element("span", { className: "tag low" }, "waits for a person")
      : element("span", { className: "tag good" }, receipt.lines.length ? "booked" : "nothing to pay"),
  ];
  if (truth) parts.push(verdict(truth));
  return parts;
}

export function verdict(truth) {
  return element("span", { className: `tag ${truth.right ? "right" : "wrong"}` }, truth.right ? "✓ right" : "✗ wrong");
}
