// The review desk: the cases that wait, each with its receipt, the pictures that the shop keeps, the evidence of every
// line, and the verdict, which may change lines.

import { all, ask } from "./api.js";
import { clock, day, element, money, percent, roving, settle } from "./dom.js";
import { concern, evidence } from "./evidence.js";
import { DOUBT_BELOW, chance, empty, heading } from "./parts.js";
import { Pictures } from "./pictures.js";

const UNITS_MAX = 1_000;
const NOTE_MAX = 2_000;

export const view = { name: "review", title: "Review", roles: ["operator", "reviewer"], floorless: true, mount };

function mount(root, page, chosen) {
  const desk = new Desk(root, page);
  desk.load(chosen);
  return { choose: (id) => desk.show(id) };
}

class Desk {
  constructor(root, page) {
    Object.assign(this, page);
    this.turn = 0;
    this.open = null;
    this.count = element("span", { className: "count" });
    this.list = element("nav", { className: "cases", "aria-label": "Cases that wait" });
    this.file = element("article", { className: "case", tabIndex: -1, "aria-live": "off" });
    this.products = element("datalist", { id: "products" });
    this.wrong = element("p", { className: "notice wrong", role: "alert", hidden: true });
    const reload = element("button", { type: "button", onclick: () => this.load(this.open) }, "Reload");
    root.append(
      heading("Review", this.count, reload),
      this.wrong,
      element("div", { className: "desk" }, this.list, this.file),
      this.products,
    );
    roving(this.list, "button", true);
  }

  fail(error) {
    if (this.signal.aborted) return;
    if (error.status === 403) return this.refuse(error);
    this.wrong.hidden = false;
    this.wrong.textContent = error.message;
  }

  async load(wanted) {
    this.wrong.hidden = true;
    try {
      const page = await ask("v1/cases?limit=200", { signal: this.signal });
      if (!this.products.children.length) {
        const products = await all("v1/products", this.signal);
        this.names = new Map(products.map((product) => [product.sku, product.name]));
        this.products.append(
          ...products.map((item) => element("option", { value: item.sku }, `${item.name}, ${money(item.price)}`)),
        );
      }
      this.count.textContent = `${page.items.length}${page.next ? "+" : ""} waiting`;
      this.list.replaceChildren(
        ...page.items.map((item) =>
          element(
            "button",
            { type: "button", onclick: () => this.go("review", item.id), "data-id": item.id },
            element("strong", {}, item.concerns.map((c) => concern(c, (sku) => this.name(sku))).join("; ")),
            element("span", { className: "faint" }, day(item.opened)),
          ),
        ),
      );
      if (this.list.firstChild) settle(this.list, "button", this.list.firstChild);
      const still = page.items.find((item) => item.id === wanted) || page.items[0];
      if (still) await this.show(still.id);
      else this.file.replaceChildren(empty("Nothing waits. Well done."));
    } catch (error) {
      this.fail(error);
    }
  }

  name(sku) {
    return (this.names && this.names.get(sku)) || sku;
  }

  async show(id) {
    if (!id) return;
    this.open = id;
    const turn = ++this.turn;
    for (const button of this.list.children) button.setAttribute("aria-current", String(button.dataset.id === id));
    try {
      const file = await ask(`v1/cases/${encodeURIComponent(id)}`, { signal: this.signal });
      // Somebody may have clicked on while this was on its way.
      if (turn === this.turn) this.lay(file);
    } catch (error) {
      this.fail(error);
    }
  }

  lay(file) {
    const receipt = file.receipt;
    const head = receipt ? `Visit ${receipt.visit}` : "Cart without a receipt";
    const when = receipt ? `${day(receipt.entered)} to ${clock(receipt.left)}` : `since ${day(file.cart.entered_at)}`;
    const words = file.case.concerns.filter((c) => c.words).map((c) => element("blockquote", {}, c.words));
    const payer = file.cart.payment ? `${file.cart.payment.standing}, ${file.cart.payment.provider}` : "nobody known";
    const lines = receipt ? new Lines(receipt, this.products) : null;
    const note = element("textarea", {
      placeholder: "Why, if it is not plain",
      maxLength: NOTE_MAX,
      "aria-label": "Note",
    });
    const decide = (decision) => this.decide(file.case.id, decision, note.value, lines);
    const change = element(
      "button",
      { type: "button", disabled: true, onclick: () => decide("change") },
      "Book the changed lines",
    );
    if (lines)
      lines.onchange = () => {
        change.disabled = !lines.changed();
      };
    const pictures = new Pictures(file.case.id, receipt, (sku) => this.name(sku), this.signal);
    this.buttons = element(
      "p",
      { className: "decide" },
      element("button", { type: "button", className: "main", onclick: () => decide("accept") }, "Accept as it stands"),
      receipt ? change : null,
      receipt
        ? element(
            "button",
            { type: "button", className: "wrong", onclick: () => decide("reject") },
            "Reject: nothing is owed",
          )
        : null,
    );
    this.file.replaceChildren(
      ...[
        element("h2", {}, head),
        element("p", { className: "faint" }, `${when} · ${file.cart.cart} · payment: ${payer}`),
        element(
          "ul",
          { className: "tags" },
          ...file.case.concerns.map((c) =>
            element(
              "li",
              { className: "tag low" },
              concern(c, (sku) => this.name(sku)),
            ),
          ),
        ),
        ...words,
        receipt ? element("h3", {}, "Receipt") : null,
        lines
          ? element("div", { className: "wide", tabIndex: 0, role: "group", "aria-label": "Receipt" }, lines.table)
          : null,
        lines ? lines.adder : null,
        element("h3", {}, "Pictures"),
        pictures.root,
        element("h3", {}, "How we know"),
        evidence(file.evidence, receipt, (sku) => this.name(sku)),
        element("h3", {}, "Note"),
        note,
        this.buttons,
      ].filter(Boolean),
    );
    this.file.scrollTop = 0;
  }

  async decide(id, decision, note, lines) {
    const body = decision === "change" ? { decision, lines: lines.goods(), note } : { decision, note };
    const buttons = this.buttons.querySelectorAll("button");
    const before = [...buttons].map((button) => button.disabled);
    buttons.forEach((button) => {
      button.disabled = true;
    });
    try {
      await ask(`v1/cases/${encodeURIComponent(id)}/verdict`, { method: "POST", body, signal: this.signal });
      this.say("Decided");
      this.open = null;
      await this.load();
      this.file.focus({ preventScroll: true });
    } catch (error) {
      this.fail(error);
      buttons.forEach((button, index) => {
        button.disabled = before[index];
      });
    }
  }
}

/** The lines of a receipt, whose units can be changed, and a field to add a product. */
class Lines {
  onchange = () => {};

  constructor(receipt, products) {
    this.products = products;
    this.body = element("tbody");
    for (const line of receipt.lines) this.row(line.sku, line.name, line.quantity, line.quantity, line);
    const total = element(
      "tfoot",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "row" }, "Total as it stands"),
        element("td"),
        element("td", { className: "number" }, element("strong", {}, money(receipt.total))),
        element("td", { className: "number" }, chance(receipt.probability)),
      ),
    );
    const heads = ["Product", "Units", "Amount", "Probability"];
    const head = element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...heads.map((text, index) => element("th", { className: index ? "number" : "", scope: "col" }, text)),
      ),
    );
    this.table = element("table", {}, head, this.body, total);
    const sku = element("input", { placeholder: "Add a product by its code", "aria-label": "Product to add" });
    sku.setAttribute("list", "products");
    const add = () => {
      const option = [...products.children].find((one) => one.value === sku.value);
      if (!option) return sku.focus();
      this.row(sku.value, option.textContent, 0, 1, null);
      sku.value = "";
    };
    this.adder = element("p", { className: "add" }, sku, element("button", { type: "button", onclick: add }, "Add"));
  }

  row(sku, name, was, is, line) {
    const present = [...this.body.rows].find((row) => row.dataset.sku === sku);
    if (present) return present.querySelector("input").focus();
    const units = element("input", {
      type: "number",
      min: 0,
      max: UNITS_MAX,
      value: is,
      "aria-label": `Units of ${name}`,
    });
    const row = element(
      "tr",
      {},
      element("td", {}, name, element("div", { className: "sku" }, sku)),
      element("td", { className: "number" }, units),
      element("td", { className: "number" }, line ? money(line.amount) : "new"),
      element(
        "td",
        { className: `number${line && line.probability < DOUBT_BELOW ? " low" : ""}` },
        line ? percent(line.probability) : "",
      ),
    );
    row.dataset.sku = sku;
    const mark = () => {
      row.className = Number(units.value) === was ? "" : "changed";
    };
    units.oninput = () => {
      mark();
      this.onchange();
    };
    mark();
    this.body.append(row);
    this.onchange();
  }

  changed() {
    return [...this.body.rows].some((row) => row.className === "changed");
  }

  goods() {
    const rows = [...this.body.rows].map((row) => ({
      sku: row.dataset.sku,
      quantity: Number(row.querySelector("input").value),
    }));
    return rows.filter((goods) => goods.quantity !== 0);
  }
}
