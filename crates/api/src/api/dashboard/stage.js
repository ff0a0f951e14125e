// The plan of the floor as it is drawn, on three sheets: what stands still, trails, people. It knows who is where from
// the motion, lights up the plates that felt something, and tells who was clicked.

import { element, grams, lasting, number, short, write } from "./dom.js";
import { Motion } from "./motion.js";
import { colours, isCalm, isDark } from "./parts.js";
import { drawPlan, middle, scaleOf, trace, unitsOf } from "./plan.js";
import { TOUCH_GRAMS } from "./shop.js";
import { Tags } from "./tags.js";

/** A plate is lit for so long. */
const GLOW_MS = 4_000;
/** What is lighter than nearly all goods lights up, and bears no figure. */
const TOLD_GRAMS_MIN = 50;
/** A plate that felt less than this share of what the most moved one felt is not lit. */
const GLOW_SHARE_MIN = 0.3;
/** A wrist that is nearer to a unit than this reaches into it. */
const REACH_METRES = 0.08;
/** Among more people than this, arms that hang are not drawn. */
const CROWD = 12;
/** Half of how wide a person is drawn, and the least and most of it. */
const BODY_METRES = 0.17;
const BODY_PIXELS_MIN = 7;
const BODY_PIXELS_MAX = 20;
/** A trail is drawn in so many parts, each fainter than the next. */
const BANDS = 4;
/** Trails are drawn so often. */
const TRAILS_MS = 200;
/** Somebody is meant by a click that is nearer than this. */
const CLICK_PIXELS = 28;
/** A frame that takes longer is dear, milliseconds. */
const DEAR_MS = 2.5;
/** What is done between frames is done so often at most, where they are not dear; milliseconds. */
const BETWEEN_MS = 35;
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

export class Plan {
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
    this.trailed = this.worked = 0;
    /** Called again and again when there is time for something else. */
    this.between = () => {};
    this.views = this.trails = this.names = true;
    this.chosen = null;
    this.stale = true;
    this.glows = [];
    this.shown = [];
    this.tags = null;
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
      this.turn += 1;
      // Where drawing is dear, every second frame is enough for people who walk; all else is done in between.
      const isDear = DEAR_MS <= this.cost;
      const from = performance.now();
      if (!isDear || this.turn % 2) {
        this.draw();
        this.cost += (performance.now() - from - this.cost) * 0.1;
      }
      if (isDear ? this.turn % 2 === 0 : BETWEEN_MS <= from - this.worked) {
        this.worked = from;
        if (!this.scale || !this.drawTrails()) this.between();
      }
      frame = requestAnimationFrame(step);
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

  /** Lights up the plates that felt an event; the one that felt most bears what was felt in all, where that may be goods. */
  glow(event) {
    if (Math.abs(event.grams) < TOUCH_GRAMS) return;
    const felt = [...event.plates].sort((a, b) => Math.abs(b.grams) - Math.abs(a.grams));
    for (const [rank, { plate: id, grams: own }] of felt.entries()) {
      const plate = this.shop.plates.get(id);
      if (!plate || Math.abs(own) < GLOW_SHARE_MIN * Math.abs(felt[0].grams)) continue;
      const isTold = !rank && TOLD_GRAMS_MIN <= Math.abs(event.grams);
      const told = !isTold ? null : `${event.grams < 0 ? "−" : "+"}${grams(Math.abs(event.grams))}`;
      this.glows.push({ from: performance.now(), plate, grams: own, told });
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
    this.units = unitsOf(this.shop.floor).map((unit) => boxOf(unit.outline, REACH_METRES));
    this.radius = Math.min(BODY_PIXELS_MAX, Math.max(BODY_PIXELS_MIN, BODY_METRES * this.scale.pixels));
    this.tags = new Tags(this.paint.paper, dense);
    this.inks = new Map();
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
    this.tags.begin();
    this.drawGlows(pen);
    for (const person of all) person.hue = this.hue(person.visit);
    this.trailsTo = shown;
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
    const part = Math.round(alpha * 20);
    const key = (hue ?? 400) * 32 + part;
    let made = this.inks.get(key);
    if (!made) {
      const tone =
        typeof hue === "number" ? `${this.dark ? 0.74 : 0.56} 0.16 ${hue}` : `${this.dark ? 0.72 : 0.55} 0 0`;
      this.inks.set(key, (made = `oklch(${tone} / ${part / 20})`));
    }
    return made;
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
      pen.globalAlpha = (1 - share) * (glow.told === null ? 0.5 : 1);
      pen.fillStyle = colour;
      pen.fill();
      if (!this.calm && glow.told !== null) {
        pen.globalAlpha = Math.max(0, 0.8 - share * 2);
        pen.strokeStyle = colour;
        pen.lineWidth = 2;
        pen.beginPath();
        pen.arc(px, py, 6 + 46 * Math.min(1, share * 2), 0, 7);
        pen.stroke();
      }
    }
    // Above all that is lit.
    for (const glow of this.glows) {
      if (glow.told === null) continue;
      const share = (now - glow.from) / GLOW_MS;
      const [x, y] = middle(glow.plate.outline);
      const [px, py] = [this.scale.x(x), this.scale.y(y)];
      const colour = glow.grams < 0 ? this.paint.doubt : this.paint.mark;
      pen.globalAlpha = Math.min(1, 2.4 * (1 - share));
      const rise = this.calm ? 18 : 14 + 16 * Math.min(1, share * 3);
      this.tags.put(pen, glow.told, px, Math.max(14, py - rise), colour, -1);
    }
    pen.globalAlpha = 1;
  }

  /** Trails grow by steps, so they are drawn by steps; whether they were. */
  drawTrails() {
    const now = performance.now();
    if (now - this.trailed < TRAILS_MS) return false;
    this.trailed = now;
    const pen = this.fresh(this.paths);
    if (this.trails && !this.calm) for (const person of this.shown) this.drawTrail(pen, person, this.trailsTo);
    return true;
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
    const radius = this.radius;
    const alpha = (1 - person.lost) * (this.chosen && this.chosen !== person.visit ? 0.5 : 1);
    this.drawArms(pen, person, [x, y], alpha);
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

  /** Arms that hang, faintly, and those that reach into a unit. */
  drawArms(pen, person, [x, y], alpha) {
    const [hanging, reaching] = [[], []];
    for (const wrist of person.wrists) {
      const place = [this.scale.x(wrist[0]), this.scale.y(wrist[1])];
      if (this.units.some((box) => inside(box, wrist[0], wrist[1]))) reaching.push(place);
      else if (this.shown.length <= CROWD && this.radius * 0.9 <= Math.hypot(place[0] - x, place[1] - y))
        hanging.push(place);
    }
    for (const [wrists, isReach] of [
      [hanging, false],
      [reaching, true],
    ]) {
      if (!wrists.length) continue;
      pen.beginPath();
      for (const [wx, wy] of wrists) {
        pen.moveTo(x, y);
        pen.lineTo(wx, wy);
      }
      pen.strokeStyle = this.colour(person.hue, (isReach ? 0.95 : 0.45) * alpha);
      pen.lineWidth = isReach ? 4 : 2.5;
      pen.lineCap = "round";
      pen.stroke();
      pen.beginPath();
      for (const [wx, wy] of wrists) {
        pen.moveTo(wx, wy);
        pen.arc(wx, wy, isReach ? 5 : 3, 0, 7);
      }
      pen.fillStyle = this.colour(person.hue, alpha);
      pen.fill();
      if (!isReach) continue;
      pen.strokeStyle = this.paint.paper;
      pen.lineWidth = 1.5;
      pen.stroke();
    }
  }

  drawHidden(pen, { visit, secs }) {
    const [x, y] = [this.scale.x(visit.place[0]), this.scale.y(visit.place[1])];
    pen.save();
    pen.setLineDash([3, 4]);
    pen.strokeStyle = this.colour(visit.hue, 0.8);
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, this.radius, 0, 7);
    pen.stroke();
    pen.restore();
    if (this.names)
      this.tags.put(pen, `${short(visit.id)} hidden ${lasting(secs)}`, x, y + 24, this.colour(visit.hue, 0.9), 1);
  }

  drawName(pen, person) {
    const radius = this.radius;
    const visit = person.visit && this.shop.visits.get(person.visit);
    const units = visit ? visit.units() : 0;
    const text = person.visit ? `${short(person.visit)}${units ? ` · ${units}` : ""}` : "?";
    pen.globalAlpha = (1 - person.lost) * (this.chosen && this.chosen !== person.visit ? 0.6 : 1);
    this.tags.put(
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

  pick(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    for (const person of this.shown) {
      const far = Math.hypot(this.scale.x(person.x) - x, this.scale.y(person.y) - y);
      if (far < CLICK_PIXELS && person.visit && (!best || far < best.far)) best = { far, visit: person.visit };
    }
    this.choose(best ? best.visit : null);
  }
}

/** The box around an outline, wider by a margin; metres. */
function boxOf(outline, margin) {
  const [xs, ys] = [outline.map((point) => point[0]), outline.map((point) => point[1])];
  return {
    left: Math.min(...xs) - margin,
    right: Math.max(...xs) + margin,
    low: Math.min(...ys) - margin,
    high: Math.max(...ys) + margin,
  };
}

const inside = (box, x, y) => box.left < x && x < box.right && box.low < y && y < box.high;
