// What this page knows of the shop: takes the events of the stream in, keeps the newest of everything within bounds, and
// tells whoever asked to be told. It draws nothing.

import { instant } from "./dom.js";
import { Visit } from "./visit.js";

const FRAMES_MAX = 40;
const EVENTS_MAX = 500;
const RECEIPTS_MAX = 200;
const VISITS_MAX = 200;
/** A visit that is over stays beside the floor for so long. */
export const LINGER_MS = 15_000;
/** What is lighter is no goods: a touch, or a hand that leans. */
export const TOUCH_GRAMS = 10;
/** A plate that felt less than this share of what the most moved one felt is left out. */
const FELT_SHARE_MIN = 0.1;
const HUES = [255, 25, 145, 310, 65, 200, 350, 100, 280, 175];

export class Shop {
  constructor() {
    this.calls = new Map();
    this.name = "";
    this.floor = null;
    this.products = new Map();
    this.plates = new Map();
    this.frames = [];
    this.visits = new Map();
    this.events = new Map();
    this.receipts = [];
    this.truths = new Map();
    /** Whether the token may not read the book. */
    this.bookless = false;
    this.devices = new Map();
    this.cartsAt = 0;
    this.link = { word: "opening" };
    /** How time goes in a recording that is watched; null in a shop that is open. */
    this.play = null;
    /** How far this machine's clock is ahead of the server's, milliseconds. */
    this.ahead = 0;
    /** What is drawn is older than the newest update by so much, milliseconds. */
    this.lead = 0;
  }

  /** Calls back at every change of a topic, until the signal ends. */
  on(topic, call, signal) {
    if (!this.calls.has(topic)) this.calls.set(topic, new Set());
    this.calls.get(topic).add(call);
    signal.addEventListener("abort", () => this.calls.get(topic).delete(call));
  }

  tell(topic, value) {
    for (const call of this.calls.get(topic) || []) call(value);
  }

  /** The server's time, milliseconds; in a recording the time that is shown. */
  now() {
    if (this.play) return this.play.at + (this.play.playing ? (Date.now() - this.play.came) * this.play.speed : 0);
    return Date.now() - this.ahead;
  }

  /** How old the newest thing is that moves, seconds; null where nothing moves. */
  behind() {
    const newest = this.frames.at(-1);
    if (!newest || (!newest.people.length && !this.open().length)) return null;
    return Math.max(0, (this.now() - newest.at + this.lead) / 1000);
  }

  open() {
    return [...this.visits.values()].filter((visit) => !visit.over);
  }

  setFloor(floor) {
    this.floor = floor;
    this.name = floor.shop;
    this.products = new Map(floor.products.map((product) => [product.sku, product]));
    this.plates.clear();
    for (const shelf of floor.shelves) {
      for (const plate of shelf.plates)
        this.plates.set(plate.plate, { ...plate, shelf: shelf.shelf, height: shelf.height });
    }
    this.tell("floor");
  }

  product(sku) {
    const product = this.products.get(sku);
    return product ? product.name : sku;
  }

  /** The unit of a shelf: what stands before the dash. */
  unit(shelf) {
    return shelf.split("-")[0];
  }

  setLink(link) {
    this.link = link;
    this.tell("link");
  }

  take(name, data) {
    if (name === "snapshot") return this.snapshot(data);
    const call = this[`take_${name}`];
    // An event of a newer server is nothing to this page.
    if (call) call.call(this, data);
  }

  snapshot(data) {
    this.ahead = Date.now() - instant(data.at);
    const play = data.changes.find((change) => change.change === "replay");
    const jumped = play && (!this.play || this.play.jumps !== play.jumps);
    if (jumped) this.forget();
    this.name = data.shop;
    this.frames = [];
    this.devices.clear();
    const carts = data.changes.find((change) => change.change === "carts");
    // Who has left while nobody listened is not inside any more.
    const inside = new Set((carts ? carts.visits : []).map((visit) => visit.visit));
    for (const [id, visit] of this.visits) if (!visit.over && !inside.has(id)) this.visits.delete(id);
    for (const change of data.changes) this.take(change.change, change);
    this.tell("snapshot");
    if (jumped) this.tell("jump");
  }

  /** What was seen before a jump is not of the shop that is shown now. */
  forget() {
    for (const known of [this.visits, this.events, this.truths]) known.clear();
    for (const plate of this.plates.values()) plate.last = undefined;
    this.frames = [];
    this.receipts = [];
    this.cartsAt = 0;
  }

  take_replay(change) {
    this.play = { ...change, at: instant(change.at), came: Date.now() };
    this.tell("replay");
  }

  take_people(change) {
    this.frames.push({ at: instant(change.at), came: this.now(), people: change.people });
    if (FRAMES_MAX < this.frames.length) this.frames.shift();
    // Carts are told only when they change: who is where, and seen, say the people.
    for (const person of change.people) {
      const visit = person.visit && this.visits.get(person.visit);
      if (visit) visit.meet(person.place, this.frames.at(-1).at);
    }
    this.tell("people");
  }

  take_shelf(change) {
    // Neighbours of a plate that carries something else now feel a little of it, which is noise on a screen.
    const most = Math.max(...change.plates.map((plate) => Math.abs(plate.grams)));
    const plates = change.plates.filter((plate) => FELT_SHARE_MIN * most <= Math.abs(plate.grams));
    const event = {
      // Its name may become another one's; when it began, does not.
      key: `${change.shelf} ${change.span.start}`,
      shelf: change.shelf,
      start: instant(change.span.start),
      end: instant(change.span.end),
      came: this.now(),
      plates,
      grams: change.plates.reduce((sum, plate) => sum + plate.grams, 0),
      claimed: new Set(),
    };
    this.events.set(event.key, event);
    if (EVENTS_MAX < this.events.size) this.events.delete(this.events.keys().next().value);
    for (const plate of plates) {
      const known = this.plates.get(plate.plate);
      if (known) known.last = { grams: plate.grams, at: event.end };
    }
    this.tell("shelf", event);
  }

  take_carts(change) {
    this.cartsAt = instant(change.at);
    for (const open of change.visits) {
      const visit = this.visit(open.visit, instant(open.entered));
      visit.update(open, this.cartsAt, this);
    }
    const named = new Set(change.visits.map((open) => open.visit));
    for (const visit of this.visits.values()) {
      if (!visit.over && !named.has(visit.id)) visit.leave(this.cartsAt);
      if (visit.over && !visit.receipt && visit.left + 120_000 < this.cartsAt) this.visits.delete(visit.id);
    }
    this.tell("carts");
  }

  visit(id, entered) {
    let visit = this.visits.get(id);
    if (!visit) {
      visit = new Visit(id, entered, this.hue(), this.now() - entered < 5_000);
      this.visits.set(id, visit);
      if (VISITS_MAX < this.visits.size) this.visits.delete(this.visits.keys().next().value);
      if (visit.whole) this.tell("entered", visit);
    }
    return visit;
  }

  /** The hue that the fewest of those inside have. */
  hue() {
    const used = new Map(HUES.map((hue) => [hue, 0]));
    for (const visit of this.open()) used.set(visit.hue, used.get(visit.hue) + 1);
    return HUES.reduce((best, hue) => (used.get(hue) < used.get(best) ? hue : best));
  }

  take_receipt(change) {
    const receipt = { ...change, at: instant(change.at), truth: null };
    const before = this.receipts.findIndex(
      (other) => other.cart === change.cart && other.visit === change.visit && other.at === receipt.at,
    );
    if (0 <= before) {
      receipt.truth = this.receipts[before].truth;
      this.receipts.splice(before, 1);
    }
    this.receipts.unshift(receipt);
    this.receipts.sort((a, b) => b.at - a.at);
    this.receipts.length = Math.min(this.receipts.length, RECEIPTS_MAX);
    receipt.truth = receipt.truth || this.truths.get(change.visit) || null;
    const visit = this.visits.get(change.visit);
    if (visit) visit.close(receipt, this.now());
    if (before < 0) this.tell("receipt", receipt);
  }

  take_truth(change) {
    this.truths.set(change.visit, change);
    if (RECEIPTS_MAX < this.truths.size) this.truths.delete(this.truths.keys().next().value);
    for (const receipt of this.receipts) if (receipt.visit === change.visit) receipt.truth = change;
    const visit = this.visits.get(change.visit);
    if (visit) visit.judge(change, instant(change.at));
    this.tell("truth", change);
  }

  take_health(change) {
    const before = this.devices.get(change.device.device);
    this.devices.set(change.device.device, { ...before, ...change.device });
    this.tell("health", { device: change.device, before });
  }
}
