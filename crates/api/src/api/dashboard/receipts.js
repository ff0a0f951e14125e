// Receipts, newest first: those of the book for who may read it, and those that came over the stream, which alone are
// seen by a screen. Where the truth is known each says whether it is right.

import { ask, picture as blob } from "./api.js";
import { clock, day, element, instant, money, number, roving, settle, short } from "./dom.js";
import { evidence } from "./evidence.js";
import { row, standing, verdict } from "./carts.js";
import { chance, empty, heading } from "./parts.js";
import { really } from "./story.js";

const PAGE = 50;
const FORMS = ["text", "html", "json", "poslog", "epcis"];

export const view = {
  name: "receipts",
  title: "Receipts",
  roles: ["operator", "reviewer", "screen"],
  barely: true,
  mount,
};

function mount(root, page, chosen) {
  const list = new List(root, page);
  list.load(chosen);
  return { choose: (cart) => list.show(cart) };
}

class List {
  constructor(root, page) {
    Object.assign(this, page);
    this.rows = new Map();
    this.book = true;
    this.count = element("span", { className: "count" });
    this.score = element("span", { className: "count" });
    this.body = element("tbody");
    this.more = element("button", { type: "button", hidden: true, onclick: () => this.older() }, "Older receipts");
    this.file = element("aside", { className: "side", "aria-label": "The chosen receipt" });
    const head = ["Left", "Shopper", "Total", "Standing", ""].map((text, index) =>
      element(
        "th",
        { scope: "col", className: index === 2 ? "number" : "" },
        text || element("span", { className: "unseen" }, "Right or wrong"),
      ),
    );
    const table = element("table", { className: "rows" }, element("thead", {}, element("tr", {}, ...head)), this.body);
    root.append(
      heading("Receipts", this.count, this.score),
      element(
        "div",
        { className: "split" },
        element(
          "section",
          { "aria-label": "Receipts" },
          element("div", { className: "wide", tabIndex: 0, role: "group", "aria-label": "Receipts" }, table),
          element("p", {}, this.more),
        ),
        this.file,
      ),
    );
    roving(this.body, "button", true);
    page.shop.on(
      "receipt",
      (receipt) => {
        this.heard(receipt);
        this.paint();
      },
      page.signal,
    );
    page.shop.on("truth", () => this.paint(), page.signal);
  }

  async load(chosen) {
    for (const receipt of [...this.shop.receipts].reverse()) this.heard(receipt);
    this.paint();
    this.show(chosen);
    await this.older();
  }

  heard(live) {
    const known = this.rows.get(live.cart) || {};
    const word = live.for_review ? "review" : live.lines.length ? "booked" : "nothing";
    this.rows.set(live.cart, { standing: word, ...known, cart: live.cart, at: live.at, total: live.total, live });
  }

  async older() {
    try {
      const found = await ask(
        `v1/receipts?limit=${PAGE}${this.next ? `&after=${encodeURIComponent(this.next)}` : ""}`,
        { signal: this.signal },
      );
      for (const summary of found.items) {
        const known = this.rows.get(summary.cart) || {};
        this.rows.set(summary.cart, {
          ...known,
          cart: summary.cart,
          at: instant(summary.left_at || summary.entered_at),
          total: summary.total,
          standing: summary.standing,
          role: summary.role,
        });
      }
      this.next = found.next;
      this.more.hidden = !found.next;
    } catch (error) {
      if (this.signal.aborted) return;
      // A screen sees what comes over the stream, and says so.
      if (error.status !== 403) return this.refuse(error);
      this.book = false;
    }
    this.paint();
  }

  paint() {
    const all = [...this.rows.values()].sort((a, b) => b.at - a.at);
    const judged = all.filter((one) => one.live && one.live.truth);
    const right = judged.filter((one) => one.live.truth.right).length;
    this.count.textContent = `${number(all.length)} shown${this.book ? "" : ": the latest that this screen heard"}`;
    this.score.textContent = judged.length ? `${number(right)} of ${number(judged.length)} right` : "";
    const focus = document.activeElement && document.activeElement.dataset.cart;
    this.body.replaceChildren(...all.map((one) => this.line(one)));
    if (!all.length) this.body.replaceChildren(element("tr", {}, element("td", { colSpan: 5 }, "No receipts yet.")));
    const first =
      (focus && this.body.querySelector(`[data-cart="${CSS.escape(focus)}"]`)) || this.body.querySelector("button");
    if (first) settle(this.body, "button", first);
    if (focus && first) first.focus();
  }

  line(one) {
    const open = element(
      "button",
      { type: "button", className: "link", "data-cart": one.cart, onclick: () => this.go("receipts", one.cart) },
      one.live ? short(one.live.visit) : short(one.cart),
    );
    const made = element(
      "tr",
      { "aria-current": String(one.cart === this.open) },
      element("td", {}, element("time", {}, clock(one.at))),
      element("td", {}, open),
      element("td", { className: "number" }, one.live && !one.live.lines.length ? "nothing" : money(one.total)),
      element(
        "td",
        {},
        element(
          "span",
          {
            className: `tag ${one.standing === "review" ? "low" : one.standing === "paid" || one.standing === "booked" ? "good" : ""}`,
          },
          one.standing,
        ),
      ),
      element("td", {}, one.live && one.live.truth ? verdict(one.live.truth) : ""),
    );
    made.onclick = (event) => {
      if (event.target !== open) this.go("receipts", one.cart);
    };
    return made;
  }

  async show(cart) {
    this.open = cart;
    this.paint();
    if (!cart)
      return this.file.replaceChildren(
        element("section", { className: "pane" }, empty("Choose a receipt to see its lines and how they are known.")),
      );
    const one = this.rows.get(cart) || { cart };
    this.file.replaceChildren(...this.sheet(one, one.live, null));
    if (!this.book) return;
    try {
      const [paper, found] = await Promise.all([
        ask(`v1/receipts/${encodeURIComponent(cart)}?form=json`, { signal: this.signal }),
        ask(`v1/carts/${encodeURIComponent(cart)}`, { signal: this.signal }),
      ]);
      if (this.open === cart) this.file.replaceChildren(...this.sheet(one, paper.receipt, { paper, cart: found }));
    } catch (error) {
      if (!this.signal.aborted && this.open === cart && error.status !== 403)
        this.file.append(element("p", { className: "notice" }, error.message));
    }
  }

  sheet(one, receipt, more) {
    if (!receipt) return [element("section", { className: "pane" }, empty("Asking for it…"))];
    const truth = one.live && one.live.truth;
    const payment = more && more.cart.payment;
    const facts = [
      ["Left", day(receipt.left || receipt.at)],
      ["Cart", one.cart],
      ["Visit", receipt.visit],
      ...(payment
        ? [
            ["Payment", `${payment.standing}, ${payment.provider}${payment.refusal ? `: ${payment.refusal}` : ""}`],
            ["Paid", payment.paid ? money(payment.paid) : "nothing"],
            ["Held", payment.held ? money(payment.held) : "nothing"],
          ]
        : []),
      ...(more ? [["Version", `${more.paper.version}, ${more.paper.state}`]] : []),
    ];
    return [
      element(
        "section",
        { className: "pane", "aria-labelledby": "sheet-head" },
        element(
          "header",
          { className: "pane-head" },
          element("h2", { id: "sheet-head" }, `Receipt of ${short(receipt.visit)}`),
          chance(receipt.probability),
        ),
        receipt.lines.length
          ? element("ul", { className: "lines" }, ...receipt.lines.map((line) => this.item(line)))
          : element("p", { className: "faint" }, "Nothing was bought."),
        receipt.lines.length
          ? element(
              "p",
              { className: "total" },
              element("span", {}, "Total"),
              element("strong", {}, money(receipt.total)),
            )
          : "",
        one.live ? element("p", { className: "cart-foot" }, ...standing(one.live, truth)) : "",
        really(truth, receipt.lines, this.shop),
        element(
          "dl",
          { className: "facts" },
          ...facts.flatMap(([head, text]) => [element("dt", {}, head), element("dd", {}, text)]),
        ),
        more
          ? element(
              "p",
              { className: "row" },
              ...FORMS.map((form) =>
                element("button", { type: "button", onclick: () => this.save(one.cart, form) }, form),
              ),
            )
          : "",
      ),
      more
        ? element(
            "section",
            { className: "pane" },
            element("header", { className: "pane-head" }, element("h2", {}, "How we know")),
            evidence(more.paper.attributions, receipt, (sku) => this.shop.product(sku)),
          )
        : "",
    ];
  }

  item(line) {
    const made = row({ ...line, causes: null }, { mark: () => null }, this.shop, 0);
    for (const discount of line.discounts || [])
      made.querySelector(".reason").append(`${discount.name}: −${money(discount.amount)} `);
    return made;
  }

  /** The receipt in one of its forms as a file: a new page could not send the token. */
  async save(cart, form) {
    try {
      const got = await blob(`v1/receipts/${encodeURIComponent(cart)}?form=${form}`, this.signal);
      const link = element("a", {
        href: got.url,
        download: `${cart}.${{ text: "txt", html: "html", json: "json", poslog: "xml", epcis: "jsonld" }[form]}`,
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(got.url), 10_000);
    } catch (error) {
      if (!this.signal.aborted) this.file.append(element("p", { className: "notice" }, error.message));
    }
  }
}
