// The floor of the shop as one watches it: the plan, the people on it, the shelves that felt something, and beside it the
// carts, or the story of the visit that was chosen.

import { element, grams, lasting, number, short, write } from "./dom.js";
import { Carts } from "./carts.js";
import { Motion } from "./motion.js";
import { colours, isCalm, isDark, toggle } from "./parts.js";
import { drawPlan, label, middle, scaleOf, trace, unitsOf } from "./plan.js";
import { Story } from "./story.js";

const GLOW_MS = 4_000;
const REACH_METRES = 0.08;
const BODY_METRES = 0.17;
const BANDS = 4;
const TRAILS_MS = 200;
const WORDS_MS = 250;
/** A frame that takes longer is dear, milliseconds. */
const DEAR_MS = 2.5;
/** A label is so high, with the air around it. */
const TAG_PIXELS = 17;
const WIDTHS_MAX = 500;
const PAINT = [
  "ink",
  "paper",
  "faint",
  "rule",
  "mark",
  "doubt",
  "wrong",
  "floor",
  "tile",
  "wall",
  "unit",
  "unitedge",
  "sight",
  "sightfar",
  "shadow",
];

export const view = { name: "floor", title: "Floor", roles: ["operator", "screen"], mount };

function mount(root, { shop, go, signal }, chosen) {
  const plan = new Plan(shop, (visit) => go("floor", visit));
  const side = element("aside", { className: "side" });
  const ticker = element("ol", { className: "ticker", "aria-label": "What happened last" });
  const toggles = element(
    "p",
    { className: "toggles" },
    toggle("What cameras see", true, (on) => {
      plan.views = on;
      plan.stale = true;
    }),
    toggle("Trails", true, (on) => {
      plan.trails = on;
    }),
    toggle("Names", true, (on) => {
      plan.names = on;
    }),
  );
  root.append(
    element(
      "div",
      { className: "floor" },
      element(
        "section",
        { className: "stage", "aria-label": "Floor plan" },
        element("h1", { className: "unseen" }, "Floor"),
        element(
          "div",
          { className: "plan-box" },
          element("div", { className: "plan" }, plan.still, plan.paths, plan.canvas, plan.words),
          toggles,
        ),
        ticker,
      ),
      side,
    ),
  );
  const carts = new Carts(shop, go);
  const story = new Story(shop, go);
  const choose = (visit) => {
    plan.chosen = visit || null;
    side.replaceChildren(visit ? story.show(visit) : carts.root);
    if (visit) story.focus();
  };
  const log = () => tick(ticker, shop);
  for (const topic of ["floor", "snapshot"])
    shop.on(
      topic,
      () => {
        plan.stale = true;
      },
      signal,
    );
  shop.on("people", () => plan.motion.update(), signal);
  shop.on("shelf", (event) => plan.glow(event), signal);
  for (const topic of ["carts", "receipt", "truth", "floor"])
    shop.on(
      topic,
      () => {
        carts.due = story.due = true;
      },
      signal,
    );
  plan.begin(signal);
  const words = setInterval(() => {
    plan.describe();
    if (plan.chosen) story.paint();
    else carts.paint();
    log();
  }, WORDS_MS);
  signal.addEventListener("abort", () => clearInterval(words));
  choose(chosen);
  carts.paint(true);
  log();
  return { choose };
}

/** The newest of all stories, one line each. */
function tick(ticker, shop) {
  const from = shop.now() - 180_000;
  const entries = [];
  for (const visit of shop.visits.values()) {
    for (let at = visit.story.length - 1; 0 <= at && from < visit.story[at].at; at -= 1) {
      if (visit.story[at].kind !== "note") entries.push({ visit, ...visit.story[at] });
    }
  }
  entries.sort((a, b) => b.at - a.at);
  const key = `${Boolean(shop.floor)} ${entries
    .slice(0, 4)
    .map((entry) => `${entry.visit.id}${entry.at}${entry.kind}`)
    .join()}`;
  if (ticker.dataset.key === key) return;
  ticker.dataset.key = key;
  ticker.replaceChildren(...entries.slice(0, 4).map((entry) => Story.line(entry, entry.visit, shop)));
}

class Plan {
  constructor(shop, choose) {
    this.shop = shop;
    this.choose = choose;
    this.motion = new Motion(shop);
    this.motion.update();
    this.canvas = element("canvas", { role: "img" });
    this.words = element("p", { className: "unseen", id: "plan-words" });
    this.canvas.setAttribute("aria-label", "Plan of the floor");
    this.canvas.setAttribute("aria-describedby", "plan-words");
    // Three sheets above each other: what stands still, trails, people.
    this.still = element("canvas", { "aria-hidden": "true" });
    this.paths = element("canvas", { "aria-hidden": "true" });
    this.cost = 0;
    this.turn = 0;
    this.trailed = 0;
    this.views = this.trails = this.names = true;
    this.chosen = null;
    this.stale = true;
    this.glows = [];
    this.shown = [];
    this.tags = [];
    this.widths = new Map();
  }

  begin(signal) {
    const size = new ResizeObserver(() => {
      this.stale = true;
    });
    size.observe(this.canvas.parentElement);
    const scheme = () => {
      this.stale = true;
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", scheme, { signal });
    document.addEventListener("scheme", scheme, { signal });
    this.canvas.addEventListener("pointerdown", (event) => this.pick(event), { signal });
    let frame = 0;
    const step = () => {
      frame = requestAnimationFrame(step);
      this.turn += 1;
      // Where drawing is dear, every second frame is enough for people who walk.
      if (DEAR_MS < this.cost && this.turn % 2) return;
      const from = performance.now();
      this.draw();
      this.cost += (performance.now() - from - this.cost) * 0.1;
    };
    frame = requestAnimationFrame(step);
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(frame);
      size.disconnect();
    });
  }

  /** What the plan shows, for those who do not see it. */
  describe() {
    const people = this.shop.frames.at(-1) ? this.shop.frames.at(-1).people.length : 0;
    const hidden = this.motion.hidden().length;
    if (this.shop.link.word === "refused") return write(this.words, "This token may not watch who is on the floor.");
    const seen = people === 1 ? "One person is" : `${number(people)} people are`;
    write(
      this.words,
      `${seen} seen on the floor${hidden ? `, and ${number(hidden)} inside are hidden` : ""}. The carts beside the plan name each of them.`,
    );
  }

  glow(event) {
    for (const felt of event.plates) {
      const plate = this.shop.plates.get(felt.plate);
      if (plate) this.glows.push({ from: performance.now(), plate, grams: felt.grams, height: plate.height });
    }
    if (60 < this.glows.length) this.glows.splice(0, this.glows.length - 60);
  }

  /** Draws the still part anew where something of it has changed. */
  settle() {
    const box = this.canvas.parentElement.getBoundingClientRect();
    const dense = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.max(50, box.width), Math.max(50, box.height)];
    this.width = width;
    this.height = height;
    for (const canvas of [this.canvas, this.paths, this.still]) {
      canvas.width = Math.round(width * dense);
      canvas.height = Math.round(height * dense);
    }
    this.dense = dense;
    this.paint = colours(...PAINT);
    this.dark = isDark();
    this.calm = isCalm();
    this.scale = scaleOf(this.shop.floor, width, height);
    // Narrow screens take the shape of the room.
    this.canvas.parentElement.style.setProperty("--shape", this.scale.shape.toFixed(3));
    this.units = unitsOf(this.shop.floor);
    const pen = this.still.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    this.trailed = 0;
    drawPlan(pen, this.scale, this.shop.floor, this.paint, { views: this.views });
    this.stale = false;
  }

  draw() {
    if (!this.shop.floor) return;
    if (this.stale) this.settle();
    const pen = this.fresh(this.canvas);
    const { all, shown, age } = this.motion.now();
    this.shown = all;
    this.tags = [];
    this.drawGlows(pen);
    for (const person of all) person.hue = this.hue(person.visit);
    this.drawTrails(all, shown);
    for (const hidden of this.motion.hidden()) this.drawHidden(pen, hidden);
    // Old positions pale, so that nobody takes them for now.
    pen.globalAlpha = age < 5_000 ? 1 : 0.45;
    for (const person of all) this.drawPerson(pen, person);
    pen.globalAlpha = 1;
    if (this.names) for (const person of all) this.drawName(pen, person);
  }

  /** An empty sheet. */
  fresh(canvas) {
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(this.dense, 0, 0, this.dense, 0, 0);
    return pen;
  }

  hue(visit) {
    const known = visit && this.shop.visits.get(visit);
    return known ? known.hue : null;
  }

  colour(hue, alpha = 1) {
    const part = Math.round(alpha * 20) / 20;
    if (hue === null || hue === undefined) return `oklch(${this.dark ? 0.72 : 0.55} 0 0 / ${part})`;
    return `oklch(${this.dark ? 0.74 : 0.56} 0.16 ${hue} / ${part})`;
  }

  drawGlows(pen) {
    const now = performance.now();
    this.glows = this.glows.filter((glow) => now - glow.from < GLOW_MS);
    for (const glow of this.glows) {
      const share = (now - glow.from) / GLOW_MS;
      const colour = glow.grams < 0 ? this.paint.doubt : this.paint.mark;
      const [x, y] = middle(glow.plate.outline);
      const [px, py] = [this.scale.x(x), this.scale.y(y)];
      trace(pen, this.scale, glow.plate.outline);
      pen.globalAlpha = 1 - share;
      pen.fillStyle = colour;
      pen.fill();
      if (!this.calm) {
        pen.globalAlpha = Math.max(0, 0.8 - share * 2);
        pen.strokeStyle = colour;
        pen.lineWidth = 2;
        pen.beginPath();
        pen.arc(px, py, 6 + 46 * Math.min(1, share * 2), 0, 7);
        pen.stroke();
      }
      pen.globalAlpha = Math.min(1, 2.4 * (1 - share));
      const rise = this.calm ? 18 : 14 + 16 * Math.min(1, share * 3);
      this.tag(
        pen,
        `${glow.grams < 0 ? "−" : "+"}${grams(Math.abs(glow.grams))}`,
        px,
        Math.max(14, py - rise),
        colour,
        -1,
      );
    }
    pen.globalAlpha = 1;
  }

  /** Trails grow by steps, so they are drawn by steps. */
  drawTrails(all, shown) {
    const now = performance.now();
    if (now - this.trailed < TRAILS_MS) return;
    this.trailed = now;
    const pen = this.fresh(this.paths);
    if (this.trails && !this.calm) for (const person of all) this.drawTrail(pen, person, shown);
  }

  drawTrail(pen, person, shown) {
    const trail = person.trail;
    if (trail.length < 2) return;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    const step = Math.ceil(trail.length / BANDS);
    for (let band = 0; band < BANDS; band += 1) {
      pen.beginPath();
      const end = Math.min(trail.length, (band + 1) * step + 1);
      let begun = false;
      for (let at = band * step; at < end; at += 1) {
        if (shown < trail[at].at) break;
        const [x, y] = [this.scale.x(trail[at].x), this.scale.y(trail[at].y)];
        if (begun) pen.lineTo(x, y);
        else pen.moveTo(x, y);
        begun = true;
      }
      if (band === BANDS - 1) pen.lineTo(this.scale.x(person.x), this.scale.y(person.y));
      const dim = this.chosen && this.chosen !== person.visit ? 0.35 : 1;
      pen.strokeStyle = this.colour(person.hue, (0.1 + 0.32 * (band / (BANDS - 1))) * dim * (1 - person.lost));
      pen.lineWidth = 1.5 + band;
      pen.stroke();
    }
  }

  drawPerson(pen, person) {
    const [x, y] = [this.scale.x(person.x), this.scale.y(person.y)];
    const radius = Math.max(7, BODY_METRES * this.scale.pixels);
    const alpha = (1 - person.lost) * (this.chosen && this.chosen !== person.visit ? 0.5 : 1);
    for (const wrist of person.wrists) this.drawArm(pen, person, wrist, x, y, radius, alpha);
    if (this.chosen && this.chosen === person.visit) {
      pen.beginPath();
      pen.arc(x, y, radius + 6, 0, 7);
      pen.strokeStyle = this.colour(person.hue, 0.9);
      pen.lineWidth = 2.5;
      pen.stroke();
    }
    if (person.heading !== null) {
      pen.save();
      pen.translate(x, y);
      pen.rotate(-person.heading);
      pen.beginPath();
      pen.moveTo(radius * 1.55, 0);
      pen.lineTo(radius * 0.72, radius * 0.68);
      pen.lineTo(radius * 0.72, -radius * 0.68);
      pen.closePath();
      pen.fillStyle = this.colour(person.hue, 0.9 * alpha);
      pen.fill();
      pen.restore();
    }
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fillStyle = this.colour(person.hue, alpha);
    pen.fill();
    pen.strokeStyle = this.paint.paper;
    pen.lineWidth = 2;
    pen.stroke();
  }

  drawArm(pen, person, wrist, x, y, radius, alpha) {
    const [wx, wy] = [this.scale.x(wrist[0]), this.scale.y(wrist[1])];
    const reaching = this.units.some((unit) => inside(unit.outline, wrist[0], wrist[1], REACH_METRES));
    if (!reaching && Math.hypot(wx - x, wy - y) < radius * 0.9) return;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(wx, wy);
    pen.strokeStyle = this.colour(person.hue, (reaching ? 0.95 : 0.45) * alpha);
    pen.lineWidth = reaching ? 4 : 2.5;
    pen.lineCap = "round";
    pen.stroke();
    pen.beginPath();
    pen.arc(wx, wy, reaching ? 5 : 3, 0, 7);
    pen.fillStyle = this.colour(person.hue, alpha);
    pen.fill();
    if (!reaching) return;
    pen.strokeStyle = this.paint.paper;
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  drawHidden(pen, { visit, secs }) {
    const [x, y] = [this.scale.x(visit.place[0]), this.scale.y(visit.place[1])];
    pen.save();
    pen.setLineDash([3, 4]);
    pen.strokeStyle = this.colour(visit.hue, 0.8);
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, Math.max(7, BODY_METRES * this.scale.pixels), 0, 7);
    pen.stroke();
    pen.restore();
    if (this.names)
      this.tag(pen, `${short(visit.id)} hidden ${lasting(secs)}`, x, y + 24, this.colour(visit.hue, 0.9), 1);
  }

  drawName(pen, person) {
    const radius = Math.max(7, BODY_METRES * this.scale.pixels);
    const visit = person.visit && this.shop.visits.get(person.visit);
    const units = visit ? visit.units() : 0;
    const text = person.visit ? `${short(person.visit)}${units ? ` · ${units}` : ""}` : "?";
    pen.globalAlpha = (1 - person.lost) * (this.chosen && this.chosen !== person.visit ? 0.6 : 1);
    this.tag(
      pen,
      text,
      this.scale.x(person.x),
      this.scale.y(person.y) + radius + 11,
      this.colour(person.hue),
      1,
      this.paint.ink,
    );
    pen.globalAlpha = 1;
  }

  /** A small label on a ground of its own; moved up or down where another one stands already. */
  tag(pen, text, x, y, edge, way, ink = edge) {
    pen.font = "600 11px system-ui, sans-serif";
    let width = this.widths.get(text);
    if (!width) {
      if (WIDTHS_MAX < this.widths.size) this.widths.clear();
      this.widths.set(text, (width = pen.measureText(text).width + 10));
    }
    const covers = (other) => Math.abs(other.x - x) < (other.width + width) / 2 && Math.abs(other.y - y) < TAG_PIXELS;
    for (let tries = 0; tries < 4 && this.tags.some(covers); tries += 1) y += way * TAG_PIXELS;
    this.tags.push({ x, y, width });
    const alpha = pen.globalAlpha;
    pen.globalAlpha = alpha * 0.88;
    pen.fillStyle = this.paint.paper;
    pen.beginPath();
    pen.roundRect(x - width / 2, y - 8, width, 16, 8);
    pen.fill();
    pen.globalAlpha = alpha;
    pen.strokeStyle = edge;
    pen.lineWidth = 1;
    pen.stroke();
    label(pen, text, x, y, ink, 11, "600");
  }

  pick(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    for (const person of this.shown) {
      const far = Math.hypot(this.scale.x(person.x) - x, this.scale.y(person.y) - y);
      if (far < 28 && person.visit && (!best || far < best.far)) best = { far, visit: person.visit };
    }
    this.choose(best ? best.visit : null);
  }
}

/** Whether a point is in an outline, or nearer to the box around it than the margin, metres. */
function inside(outline, x, y, margin) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [a, b] of outline) {
    left = Math.min(left, a);
    right = Math.max(right, a);
    low = Math.min(low, b);
    high = Math.max(high, b);
  }
  return left - margin < x && x < right + margin && low - margin < y && y < high + margin;
}
