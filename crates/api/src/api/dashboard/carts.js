// The carts of all who are inside, as they look now: each line with the reason for it and how sure it is. A line that
// was corrected says so for a while; a visit that is over stays with its receipt for a moment.

import { element, lasting, money, number, roving, settle, short, write } from "./dom.js";
import { chance, dot, empty } from "./parts.js";
import { LINGER_MS } from "./shop.js";
import { MARK_MS } from "./visit.js";

export class Carts {
  constructor(shop, go) {
    this.shop = shop;
    this.go = go;
    this.due = true;
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
  paint(force) {
    const now = this.shop.now();
    const shown = [...this.shop.visits.values()].filter(
      (visit) => !visit.over || (visit.closed && now - visit.closed < LINGER_MS),
    );
    shown.sort((a, b) => Number(a.over) - Number(b.over) || b.entered - a.entered);
    if (this.due || force) this.arrange(shown);
    this.due = false;
    for (const visit of shown) {
      const card = this.cards.get(visit.id);
      if (card) this.age(card, visit, now);
    }
    if (shown.length !== this.cards.size) this.due = true;
    const inside = shown.filter((visit) => !visit.over).length;
    write(this.count, this.shop.cartsAt ? `${number(inside)} inside` : "");
    this.none.hidden = 0 < shown.length;
    this.none.textContent = this.shop.cartsAt
      ? "Nobody is inside."
      : this.shop.link.word === "refused"
        ? "This token may not see carts as they change."
        : "Waiting for the shop…";
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
    return { root, span, sum, sure, lines, foot, version: -1, marked: false };
  }

  age(card, visit, now) {
    const unseen = (now - visit.seen) / 1000;
    const away = !visit.over && 5 < unseen ? `, not seen for ${lasting(unseen)}` : "";
    write(card.span, visit.over ? "left" : `${lasting((now - visit.entered) / 1000)}${away}`);
    card.root.classList.toggle("away", away !== "");
    card.root.classList.toggle("over", visit.over);
    const marked = [...visit.marks.values()].some((mark) => now - mark.at < MARK_MS);
    const version = `${visit.version} ${visit.truth ? visit.truth.right : ""}`;
    if (card.version === version && card.marked === marked) return;
    card.version = version;
    card.marked = marked;
    this.fill(card, visit, now);
  }

  fill(card, visit, now) {
    const receipt = visit.receipt;
    const lines = receipt ? receipt.lines : [...visit.lines.values()];
    const sum = receipt ? receipt.total : visit.sum(this.shop);
    write(card.sum, lines.length ? (sum ? money(sum) : "") : "");
    card.lines.replaceChildren(...lines.map((line) => row(line, visit, this.shop, now)), ...this.gone(visit, now));
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

/** A line with its reason. */
export function row(line, visit, shop, now) {
  const mark = visit.mark(line.sku, now);
  const reasons = line.keys ? visit.reasons(line, shop) : [];
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
      reasons[0] || "",
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
