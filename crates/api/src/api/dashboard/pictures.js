// The pictures around the reaches of a case, where the shop keeps them: asked for when they come on screen, one after the
// other, and given back when nobody looks any more.

import { ask, picture } from "./api.js";
import { clock, element } from "./dom.js";

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
    let found = [];
    try {
      found = await ask(`v1/cases/${encodeURIComponent(id)}/pictures`, { signal: this.signal });
    } catch (error) {
      if (this.signal.aborted) return;
      return this.none(error.status === 404 ? "This shop keeps no pictures." : error.message);
    }
    const items = Array.isArray(found) ? found : found.items;
    if (!items.length) return this.none("No pictures are kept about it.");
    const groups = new Map();
    for (const item of items) {
      const line = this.line(item.line);
      if (!groups.has(line)) groups.set(line, []);
      groups.get(line).push(item);
    }
    this.root.replaceChildren(
      ...[...groups].map(([line, all]) =>
        element(
          "section",
          {},
          element("h4", {}, line),
          element(
            "div",
            { className: "strip", tabIndex: 0, role: "group", "aria-label": `Pictures: ${line}` },
            ...all.map((item) => this.figure(item, line)),
          ),
        ),
      ),
    );
  }

  /** A line is named by its product, or by its place in the receipt. */
  line(line) {
    if (line === null || line === undefined) return "The visit";
    const known = this.receipt && (this.receipt.lines.find((one) => one.sku === line) || this.receipt.lines[line]);
    return known ? known.name : this.name(String(line));
  }

  none(text) {
    this.root.replaceChildren(element("p", { className: "faint" }, text));
  }

  figure(item, line) {
    const image = element("img", { alt: `${line}, ${item.camera}, ${clock(item.at)}` });
    const words = element("span", { className: "faint" }, `${item.camera}, ${clock(item.at)}`);
    const figure = element("figure", {}, image, element("figcaption", {}, words));
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
