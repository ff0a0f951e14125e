// The story of one visit: came in, took, put back, was corrected, left, was charged. Beside it what is in the cart now,
// and, where the truth is known, what was really taken.

import { ask } from "./api.js";
import { clock, element, lasting, money, short } from "./dom.js";
import { row, standing } from "./carts.js";
import { chance, dot, empty } from "./parts.js";
import { because, sentence } from "./visit.js";

const PAYMENT_MS = 2_000;
const PAYMENT_TRIES = 10;
const SIGNS = {
  entered: "→",
  took: "−",
  put: "+",
  corrected: "↺",
  left: "←",
  booked: "=",
  charged: "✓",
  unpaid: "!",
  review: "?",
  right: "✓",
  wrong: "✗",
  note: "·",
};

export class Story {
  constructor(shop, go) {
    this.shop = shop;
    this.go = go;
    this.visit = null;
  }

  /** An entry as a line of a list. */
  static line(entry, visit, shop) {
    const why = entry.event ? sentence(because(entry.event)) : null;
    const line = element(
      "li",
      { className: `entry ${entry.kind}` },
      element("time", {}, clock(entry.at)),
      element("span", { className: "sign", "aria-hidden": "true" }, SIGNS[entry.kind] || "·"),
      element(
        "span",
        { className: "what" },
        visit ? element("span", { className: "whose" }, dot(visit), `${short(visit.id)} `) : null,
        entry.text.replace("{goods}", () => shop.product(entry.sku)),
        why ? element("span", { className: "reason" }, why) : null,
      ),
      entry.probability === null || entry.probability === undefined ? null : chance(entry.probability),
    );
    return line;
  }

  show(id) {
    this.visit = id;
    this.version = "";
    this.tries = 0;
    this.next = 0;
    this.back = element("button", { type: "button", className: "plain", onclick: () => this.go("floor") }, "All carts");
    this.body = element("div");
    this.root = element(
      "section",
      { className: "pane", "aria-label": `Shopper ${short(id)}` },
      element("header", { className: "pane-head" }, element("h2", {}, `Shopper ${short(id)}`), this.back),
      this.body,
    );
    this.root.onkeydown = (event) => {
      if (event.key === "Escape") this.go("floor");
    };
    this.paint();
    return this.root;
  }

  focus() {
    this.back.focus({ preventScroll: true });
  }

  /** Brings it up to date, where something of it changed. */
  paint() {
    const visit = this.shop.visits.get(this.visit);
    const now = this.shop.now();
    if (visit && visit.receipt && !visit.receipt.for_review && visit.receipt.lines.length) this.payment(visit);
    const version = visit ? `${visit.version} ${visit.shade} ${Math.floor(now / 1000)}` : "none";
    if (version === this.version) return;
    this.version = version;
    if (!visit)
      return this.body.replaceChildren(
        empty(this.shop.cartsAt ? "This visit is over, or nobody knows it." : "Waiting for the shop…"),
      );
    const lines = visit.receipt ? visit.receipt.lines : [...visit.lines.values()];
    const sum = visit.receipt ? visit.receipt.total : visit.sum(this.shop);
    const story = element(
      "ol",
      { className: "story" },
      ...[...visit.story].reverse().map((entry) => Story.line(entry, null, this.shop)),
    );
    const inside = visit.over
      ? `was inside for ${lasting((visit.left - visit.entered) / 1000)}`
      : `inside for ${lasting((now - visit.entered) / 1000)}`;
    const scroll = this.body.scrollTop;
    this.body.replaceChildren(
      element(
        "p",
        { className: "who-line" },
        dot(visit),
        element("span", {}, `Since ${clock(visit.entered)}, ${inside}`),
      ),
      element("h3", {}, visit.receipt ? "Receipt" : "Cart now"),
      lines.length
        ? element("ul", { className: "lines" }, ...lines.map((line) => row(line, visit, this.shop, now)))
        : element("p", { className: "faint" }, "Nothing"),
      lines.length
        ? element(
            "p",
            { className: "total" },
            element("span", {}, visit.receipt ? "Total" : "By the shelf prices"),
            element("strong", {}, money(sum)),
          )
        : "",
      element(
        "p",
        { className: "cart-foot" },
        ...(visit.receipt
          ? standing(visit.receipt, visit.truth)
          : [element("span", { className: "faint" }, "whole cart "), chance(visit.probability)]),
      ),
      really(visit.truth, lines, this.shop),
      element("h3", {}, "What happened"),
      visit.whole
        ? ""
        : element(
            "p",
            { className: "faint" },
            this.shop.play
              ? "You jumped here after the visit began: of what was before, only what shelves felt is in it."
              : "This page was opened after the visit began: what was before is not in it.",
          ),
      story,
    );
    this.body.scrollTop = scroll;
  }

  /** Asks whether it was paid, where the token may, until that is known. */
  async payment(visit) {
    if (visit.paid || this.shop.bookless || PAYMENT_TRIES <= this.tries || performance.now() < this.next) return;
    this.tries += 1;
    this.next = performance.now() + PAYMENT_MS;
    try {
      const cart = await ask(`v1/carts/${encodeURIComponent(visit.receipt.cart)}`);
      visit.paid = visit.pay(cart.payment, this.shop.now());
    } catch (error) {
      if (error.status === 403) this.shop.bookless = true;
    }
  }
}

/** What was really taken, where a receipt says otherwise. */
export function really(truth, lines, shop) {
  if (!truth || truth.right) return "";
  const told = new Map(lines.map((line) => [line.sku, line.quantity]));
  const took = new Map(truth.lines.map((line) => [line.sku, line.quantity]));
  const off = [...new Set([...told.keys(), ...took.keys()])].filter((sku) => told.get(sku) !== took.get(sku));
  return element(
    "div",
    { className: "notice wrong" },
    element("p", {}, "Really taken:"),
    element(
      "ul",
      {},
      ...off.map((sku) =>
        element("li", {}, `${took.get(sku) || 0} × ${shop.product(sku)}, and the receipt says ${told.get(sku) || 0}`),
      ),
    ),
  );
}
