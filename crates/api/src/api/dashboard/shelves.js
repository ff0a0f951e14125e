// The shelves from the front, unit by unit: each plate with what stands on it, what it carries and what it felt last; the
// curve of the last two minutes of the one that is chosen, with what the engine took for rest.

import { Turns, ask } from "./api.js";
import { clock, element, grams, lasting, number, roving, settle, short, write } from "./dom.js";
import { curve } from "./charts.js";
import { empty, heading } from "./parts.js";
import { unitsOf } from "./plan.js";
import { TOUCH_GRAMS } from "./shop.js";

const CURVE_SECS = 120;
const CURVE_MS = 1_000;
/** What a plate felt stays marked for so long. */
const FRESH_MS = 60_000;
/** Loads are asked for one plate after the other, so many at once. */
const AT_ONCE = 2;
const EVENTS_SHOWN = 40;

export const view = { name: "shelves", title: "Shelves", roles: ["operator", "screen"], mount };

function mount(root, { shop, go, signal }, chosen) {
  const units = unitsOf(shop.floor);
  const plates = new Map();
  const loads = new Loads(shop, plates, signal);
  const picker = element("nav", { className: "units", "aria-label": "Units" });
  const front = element("div", { className: "front" });
  const side = element("aside", { className: "side" });
  const detail = element("section", { className: "pane", "aria-labelledby": "plate-head" });
  const lost = element("section", { className: "pane", "aria-label": "Off its place" });
  const events = element("ol", { className: "story" });
  side.append(
    detail,
    lost,
    element(
      "section",
      { className: "pane", "aria-label": "Events" },
      element("header", { className: "pane-head" }, element("h2", {}, "Last events")),
      events,
    ),
  );
  root.append(
    heading("Shelves", picker),
    element(
      "div",
      { className: "shelves" },
      element(
        "section",
        { "aria-label": "Front of the unit" },
        front,
        element(
          "p",
          { className: "faint hint" },
          "Loads in kilograms; what a plate felt in the last minute, in grams.",
        ),
      ),
      side,
    ),
  );
  let turns = null;
  let unit = null;
  const paint = () => {
    for (const [id, cell] of plates) cell.mark(shop.plates.get(id), shop.now());
  };
  const tell = () => {
    events.replaceChildren(...happened(shop));
    misplaced(lost, shop);
  };
  const open = (name) => {
    unit = units.find((one) => one.name === name) || units[0];
    for (const button of picker.children)
      button.setAttribute("aria-current", String(button.dataset.unit === unit.name));
    plates.clear();
    front.replaceChildren(...rows(unit, shop, plates, (plate) => go("shelves", plate)));
    loads.want([...plates.keys()]);
    paint();
  };
  const choose = (plate) => {
    if (turns) turns.end();
    const known = shop.plates.get(plate);
    const wanted = known
      ? shop.unit(known.shelf)
      : units.some((one) => one.name === plate)
        ? plate
        : unit
          ? unit.name
          : (units[0] || {}).name;
    if (units.length && (!unit || unit.name !== wanted)) open(wanted);
    for (const [id, cell] of plates) cell.root.setAttribute("aria-pressed", String(id === plate));
    turns = known ? follow(detail, known, shop, loads) : null;
    if (!known)
      detail.replaceChildren(
        element("header", { className: "pane-head" }, element("h2", { id: "plate-head" }, "A plate")),
        element(
          "p",
          { className: "faint" },
          "Choose a plate to see what it weighs, and what it weighed in the last two minutes.",
        ),
      );
  };
  if (!units.length) return (root.append(empty("This shop has no shelves.")), {});
  picker.append(
    ...units.map((one) =>
      element(
        "button",
        { type: "button", className: "toggle", "data-unit": one.name, onclick: () => go("shelves", one.name) },
        `Unit ${one.name}`,
      ),
    ),
  );
  shop.on(
    "shelf",
    (event) => {
      loads.felt(event);
      paint();
      tell();
    },
    signal,
  );
  shop.on("carts", () => misplaced(lost, shop), signal);
  const ages = setInterval(paint, 5_000);
  signal.addEventListener("abort", () => {
    clearInterval(ages);
    if (turns) turns.end();
  });
  tell();
  choose(chosen);
  return { choose };
}

/** The shelves of a unit, the highest first, each with its plates from left to right, those of one product together. */
function rows(unit, shop, plates, choose) {
  const shelves = [...unit.shelves].sort((a, b) => b.height - a.height);
  return shelves.map((shelf) => {
    const list = element("div", { className: "plates", role: "group", "aria-label": `Shelf ${shelf.shelf}` });
    for (const group of facings(shelf.plates)) {
      const name = group[0].products.map((sku) => shop.product(sku)).join(", ") || "nothing planned";
      const cells = group.map((plate) => {
        const cell = new Cell(plate, name, () => choose(plate.plate));
        plates.set(plate.plate, cell);
        return cell.root;
      });
      const facing = element(
        "div",
        { className: "facing" },
        element("p", { className: "facing-name", title: name }, name),
        element("div", { className: "facing-plates" }, ...cells),
      );
      facing.style.flexGrow = group.length;
      list.append(facing);
    }
    roving(list, "button");
    const first = list.querySelector("button");
    if (first) settle(list, "button", first);
    return element(
      "div",
      { className: "shelf" },
      element(
        "p",
        { className: "shelf-name" },
        shelf.shelf,
        element("span", { className: "faint" }, ` at ${number(shelf.height, 2)} m`),
      ),
      list,
    );
  });
}

/** Neighbours with the same products. */
function facings(plates) {
  const groups = [];
  for (const plate of plates) {
    const last = groups.at(-1);
    if (last && String(last[0].products) === String(plate.products)) last.push(plate);
    else groups.push([plate]);
  }
  return groups;
}

class Cell {
  constructor(plate, name, choose) {
    const said = (text) => element("span", { className: "unseen" }, text);
    const at = plate.plate.lastIndexOf("-") + 1;
    this.load = element("span", { className: "load" });
    this.felt = element("span", { className: "felt" });
    this.unit = said("");
    this.ago = said("");
    this.root = element(
      "button",
      { type: "button", className: "plate", "aria-pressed": "false", onclick: choose },
      said(`Plate ${plate.plate.slice(0, at)}`),
      element("span", { className: "plate-name" }, plate.plate.slice(at)),
      said(`: ${name} `),
      this.load,
      this.unit,
      this.felt,
      this.ago,
    );
  }

  mark(plate, now) {
    const fresh = plate.last && TOUCH_GRAMS <= Math.abs(plate.last.grams) && now - plate.last.at < FRESH_MS;
    const sign = fresh ? (plate.last.grams < 0 ? "−" : "+") : "";
    this.root.classList.toggle("took", sign === "−");
    this.root.classList.toggle("put", sign === "+");
    write(this.felt, fresh ? `${sign}${number(Math.abs(plate.last.grams))}` : "");
    write(this.load, plate.load === undefined ? "" : number(plate.load / 1000, 1));
    write(this.unit, plate.load === undefined ? "" : " kg ");
    write(this.ago, fresh ? ` g, ${lasting((now - plate.last.at) / 1000)} ago` : "");
  }
}

/** What plates carry: asked for once each, then kept by what they feel. */
class Loads {
  constructor(shop, cells, signal) {
    Object.assign(this, { shop, cells, signal });
    this.queue = [];
    this.waiters = [];
    for (let each = 0; each < AT_ONCE; each += 1) this.work();
  }

  want(plates) {
    this.queue = plates.filter((plate) => this.shop.plates.get(plate).load === undefined);
    for (const wake of this.waiters.splice(0)) wake();
  }

  async work() {
    while (!this.signal.aborted) {
      const plate = this.queue.shift();
      if (!plate) await new Promise((next) => this.waiters.push(next));
      else await this.read(plate);
    }
  }

  async read(plate) {
    try {
      const found = await ask(`v1/plates/${encodeURIComponent(plate)}/curve`, { signal: this.signal });
      this.set(plate, found);
    } catch (error) {
      // Without curves there are no loads: not another try for each plate.
      if (error.status === 403 || error.status === 404) this.queue = [];
    }
  }

  set(plate, found) {
    const known = this.shop.plates.get(plate);
    const level = found.levels.at(-1);
    if (level) known.load = level.grams;
    else if (found.samples.length) known.load = found.samples.at(-1)[1];
    const cell = this.cells.get(plate);
    if (cell) cell.mark(known, this.shop.now());
  }

  felt(event) {
    for (const plate of event.plates) {
      const known = this.shop.plates.get(plate.plate);
      if (known && known.load !== undefined) known.load += plate.grams;
    }
  }
}

/** The curve of a plate, again and again. */
function follow(detail, plate, shop, loads) {
  const chart = element("div", { className: "curve" });
  const words = element("p", { className: "faint" });
  const goods = plate.products.map((sku) => shop.product(sku)).join(", ") || "nothing planned";
  detail.replaceChildren(
    element("header", { className: "pane-head" }, element("h2", { id: "plate-head" }, `Plate ${plate.plate}`)),
    element("p", {}, goods),
    chart,
    element(
      "p",
      { className: "legend faint" },
      element("span", { className: "key measured" }),
      "measured ",
      element("span", { className: "key level" }),
      "taken for rest",
    ),
    words,
  );
  return new Turns(
    CURVE_MS,
    async (signal) => {
      const found = await ask(`v1/plates/${encodeURIComponent(plate.plate)}/curve`, { signal });
      chart.replaceChildren(curve({ ...found, seconds: CURVE_SECS }));
      loads.set(plate.plate, found);
      const last = found.samples.at(-1);
      write(
        words,
        last
          ? `Now ${grams(last[1])}, measured ${lasting(Math.abs(last[0]))} before ${clock(found.now)}; at rest ${found.levels.length === 1 ? "once" : `${found.levels.length} times`} in two minutes`
          : "Nothing measured",
      );
    },
    (error) => chart.replaceChildren(empty(error.message)),
  );
}

function happened(shop) {
  const all = [...shop.events.values()].slice(-EVENTS_SHOWN).reverse();
  if (!all.length) return [element("li", { className: "faint" }, "Nothing since this page was opened.")];
  return all.map((event) =>
    element(
      "li",
      { className: `entry ${event.grams < 0 ? "took" : "put"}` },
      element("time", {}, clock(event.end)),
      element("span", { className: "sign", "aria-hidden": "true" }, event.grams < 0 ? "−" : "+"),
      element(
        "span",
        { className: "what" },
        `Shelf ${event.shelf}: ${grams(Math.abs(event.grams))} ${event.grams < 0 ? "lighter" : "heavier"}`,
        element(
          "span",
          { className: "reason" },
          `${event.plates.length === 1 ? "plate" : "plates"} ${event.plates.map((plate) => plate.plate.split("-").pop()).join(", ")}`,
        ),
      ),
    ),
  );
}

/** Goods that came from a plate where something else is planned: they stood where they should not. */
function misplaced(pane, shop) {
  const found = [];
  for (const visit of shop.open()) {
    for (const line of visit.lines.values()) {
      for (const cause of line.causes.filter((one) => one.misplaced)) {
        const planned = cause.plates.flatMap((plate) => (shop.plates.get(plate) || { products: [] }).products);
        found.push(
          `${shop.product(line.sku)}, ${cause.grams < 0 ? "taken from" : "put on"} shelf ${cause.shelf} where ${[...new Set(planned)].map((sku) => shop.product(sku)).join(", ") || "nothing"} is planned, by shopper ${short(visit.id)}`,
        );
      }
    }
  }
  const key = found.join();
  if (pane.dataset.key === key) return;
  pane.dataset.key = key;
  pane.hidden = !found.length;
  pane.replaceChildren(
    element("header", { className: "pane-head" }, element("h2", {}, "Off its place")),
    element("ul", { className: "plain-list" }, ...found.map((text) => element("li", {}, text))),
  );
}
