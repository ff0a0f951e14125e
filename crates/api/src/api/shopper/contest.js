// Saying that a line, or the whole receipt, is wrong: one touch, and some seconds in which it can be undone. What was said when
// the page goes away is sent then.

import { bearer } from "./api.js";
import { element } from "./dom.js";
import { t } from "./texts.js";

const UNDO_MS = 6_000;

export class Contests {
  /** `changed()` whenever something is to be painted anew; `say(text)` says it aloud. */
  constructor(changed, say) {
    this.changed = changed;
    this.say = say;
    this.waiting = new Map();
    this.failed = new Set();
    this.sent = new Set();
    window.addEventListener("pagehide", () => this.flush());
  }

  /** What of a line is under way here: waiting, sent, failed, or nothing. */
  state(cart, sku) {
    const key = `${cart}/${sku}`;
    if (this.waiting.has(key)) return "waiting";
    if (this.failed.has(key)) return "failed";
    return this.sent.has(key) ? "sent" : null;
  }

  begin(cart, sku, name) {
    const key = `${cart}/${sku}`;
    if (this.waiting.has(key)) return;
    this.failed.delete(key);
    const timer = setTimeout(() => this.send(key), UNDO_MS);
    this.waiting.set(key, { cart, sku, timer });
    this.say(t("contest_soon", { name }));
    this.changed();
  }

  undo(cart, sku) {
    const key = `${cart}/${sku}`;
    const one = this.waiting.get(key);
    if (!one) return;
    clearTimeout(one.timer);
    this.waiting.delete(key);
    this.say(t("undone"));
    this.changed();
  }

  /** Sends all that waits. */
  flush() {
    for (const key of [...this.waiting.keys()]) this.send(key);
  }

  /** Forgets everything: it was of somebody else. */
  end() {
    this.flush();
    this.failed.clear();
    this.sent.clear();
  }

  async send(key) {
    const { cart, sku, timer } = this.waiting.get(key);
    clearTimeout(timer);
    this.waiting.delete(key);
    this.sent.add(key);
    const body = JSON.stringify({ words: "", skus: sku ? [sku] : [] });
    const headers = { Authorization: bearer(), "Content-Type": "application/json" };
    let done = false;
    try {
      // It is carried out though the page may be gone by then.
      const answer = await fetch(`v1/receipts/${cart}/contest`, { method: "POST", headers, body, keepalive: true });
      done = answer.ok;
    } catch {
      done = false;
    }
    if (!done) {
      this.sent.delete(key);
      this.failed.add(key);
      this.say(t("contest_failed"));
    }
    this.changed();
  }

  /** What stands beside a line, or below the receipt: the button, the way back, or what became of it. */
  part(guest, line, until) {
    const [sku, name] = line ? [line.sku, line.name] : ["", t("contest_all_name")];
    // What became of a line that is not there any more stands below the receipt.
    const isThere = (one) => guest.lines.some((other) => other.sku === one);
    const told = [...guest.contests].reverse().find(({ skus }) => (line ? skus.includes(sku) : !skus.some(isThere)));
    const here = this.state(guest.cart, sku);
    if (here === "waiting")
      return element(
        "p",
        { className: "soon" },
        element("span", {}, t("contest_soon", { name })),
        element(
          "button",
          { type: "button", "data-key": `undo ${guest.cart}/${sku}`, onclick: () => this.undo(guest.cart, sku) },
          t("undo"),
        ),
      );
    const outcome = told && told.outcome ? element("p", { className: "outcome" }, t(`contest_${told.outcome}`)) : null;
    if ((told && !outcome) || (here === "sent" && !told)) return element("p", { className: "told" }, t("contest_sent"));
    if (until < Date.now() || (outcome && (line || !guest.lines.length))) return outcome;
    const button = element(
      "button",
      {
        type: "button",
        className: "quiet",
        "data-key": `contest ${guest.cart}/${sku}`,
        "aria-label": line ? t("contest_line", { name }) : null,
        onclick: () => this.begin(guest.cart, sku, name),
      },
      line ? t("contest") : t("contest_all"),
    );
    const failed = here === "failed" ? element("span", { className: "wrong" }, t("contest_failed")) : null;
    return [outcome, element("p", { className: "say" }, failed, button)];
  }
}
