// The pictures around the reaches of a case, where the shop keeps them: asked for when they come on screen, one after the
// other, and given back when nobody looks any more. Each look is in the audit log of the shop.

import { ask, picture } from "./api.js";
import { clock, element, roving, settle, short } from "./dom.js";

const MOVES = { take: "taken", return: "put back" };

export class Pictures {
  constructor(id, receipt, name, signal) {
    this.receipt = receipt;
    this.name = name;
    this.signal = signal;
    this.queue = Promise.resolve();
    this.urls = [];
    this.root = element("div", { className: "pictures" }, element("p", { className: "faint" }, "Asking for pictures…"));
    signal.addEventListener("abort", () => this.urls.splice(0).forEach((url) => URL.revokeObjectURL(url)));
    this.load(id);
  }

  async load(id) {
    let found = null;
    try {
      found = await ask(`v1/cases/${encodeURIComponent(id)}/pictures`, { signal: this.signal });
    } catch (error) {
      if (!this.signal.aborted) this.none(error.status === 404 ? "This server keeps no pictures." : error.message);
      return;
    }
    if (!found.items.length) return this.none(`No pictures: ${found.why || "none are kept about it"}.`);
    const groups = new Map();
    for (const item of found.items) {
      const title = this.title(item);
      if (!groups.has(title)) groups.set(title, []);
      groups.get(title).push(item);
    }
    const hint = "Faces of others are hidden. Enter or a click makes a picture larger. Who looks is written down.";
    this.root.replaceChildren(
      element("p", { className: "faint" }, hint),
      ...[...groups].map(([title, items]) => this.strip(title, items)),
    );
  }

  /** What the pictures of a line are of, in words; those of no line come last, for the server lists lines first. */
  title(item) {
    if (item.line === null) return "Near a shelf, on no line";
    const known = this.receipt && this.receipt.lines.find((one) => one.sku === item.line);
    return `${known ? known.name : this.name(item.line)}, ${MOVES[item.movement] || "moved"}`;
  }

  none(text) {
    this.root.replaceChildren(element("p", { className: "faint" }, text));
  }

  strip(title, items) {
    const row = element(
      "div",
      { className: "strip", role: "group", "aria-label": `Pictures: ${title}` },
      ...items.map((item, index) => this.figure(item, title, `${index + 1} of ${items.length}`)),
    );
    roving(row, "button", false);
    settle(row, "button", row.querySelector("button"));
    return element("section", {}, element("h4", {}, title), row);
  }

  figure(item, title, place) {
    const who = this.receipt ? `visit ${short(this.receipt.visit)}, ` : "";
    const alt = `${title}: ${who}camera ${item.camera}, ${clock(item.at)}, picture ${place}`;
    const [width, height] = item.size;
    const image = element("img", { alt, width, height });
    const words = element("span", { className: "faint" }, `${item.camera}, ${clock(item.at)}, ${place}`);
    const figure = element("figure", {});
    const grow = () => {
      const is = figure.classList.toggle("large");
      button.setAttribute("aria-pressed", String(is));
      figure.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    const button = element("button", { type: "button", className: "plain", "aria-pressed": "false", onclick: grow }, image);
    figure.append(button, element("figcaption", {}, words));
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      this.queue = this.queue.then(() => this.fetch(item, image, words));
    });
    watch.observe(figure);
    this.signal.addEventListener("abort", () => watch.disconnect());
    return figure;
  }

  async fetch(item, image, words) {
    if (this.signal.aborted || !image.isConnected) return;
    try {
      const got = await picture(item.url.replace(/^\//, ""), this.signal);
      if (!image.isConnected) return URL.revokeObjectURL(got.url);
      this.urls.push(got.url);
      image.src = got.url;
    } catch (error) {
      if (!this.signal.aborted) words.textContent = error.message;
    }
  }
}
