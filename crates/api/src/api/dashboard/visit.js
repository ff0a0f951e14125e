// One visit as this page has seen it: its cart, why each line is in it, and the story of it in order of time. Tells a
// change that something on a shelf explains from a correction, where the engine has thought again.

import { clock, grams, instant, lasting, money, percent } from "./dom.js";

const STORY_MAX = 200;
/** What went back to a shelf explains a line that shrinks within so long. */
const RETURN_SPAN_MS = 12_000;
/** How long a correction stays marked in a cart. */
export const MARK_MS = 12_000;

/** What was done at a shelf is told once more, a little differently, when it is understood better; within so long it is the same. */
const SAME_MS = 1_500;

export class Visit {
  constructor(id, entered, hue, whole) {
    this.id = id;
    this.entered = entered;
    this.hue = hue;
    /** Whether this page saw it from its beginning. */
    this.whole = whole;
    this.lines = new Map();
    this.marks = new Map();
    this.story = [];
    this.probability = 1;
    this.interrupted = false;
    this.place = null;
    this.seen = entered;
    this.over = false;
    this.left = null;
    this.receipt = null;
    this.truth = null;
    /** Goes up with whatever changes; with how sure it is alone, `shade` does. */
    this.version = 0;
    this.shade = 0;
    this.known = false;
    this.tell(entered, "entered", "Came in");
  }

  /** Adds to the story; `{goods}` in the text stands for the name of the product, which may be known only later. */
  tell(at, kind, text, more) {
    this.story.push({ at, kind, text, ...more });
    this.story.sort((a, b) => a.at - b.at);
    if (STORY_MAX < this.story.length) this.story.splice(1, 1);
    this.version += 1;
  }

  /** Was seen somewhere. */
  meet(place, at) {
    this.place = place;
    this.seen = Math.max(this.seen, at);
  }

  /** Takes the newest state of the cart in. */
  update(open, at, shop) {
    this.seen = Math.max(this.seen, instant(open.seen));
    this.place = this.place || open.place;
    if (this.over && !this.receipt) this.over = false;
    if (this.interrupted !== open.interrupted) this.version += 1;
    this.interrupted = open.interrupted;
    if (percent(this.probability) !== percent(open.probability)) this.shade += 1;
    this.probability = open.probability;
    const lines = new Map(
      open.lines.map((line) => [
        line.sku,
        { ...line, causes: (line.causes || []).map((cause) => ({ ...cause, end: instant(cause.at) })) },
      ]),
    );
    for (const sku of new Set([...this.lines.keys(), ...lines.keys()]))
      this.compare(sku, this.lines.get(sku), lines.get(sku), at, shop);
    this.lines = lines;
    this.known = true;
  }

  compare(sku, was, is, at, shop) {
    const [had, has] = [was ? was.quantity : 0, is ? is.quantity : 0];
    if (was && is && percent(was.probability) !== percent(is.probability)) this.shade += 1;
    if (had === has) return;
    // Behind a jump in a recording, what a line rests on is told all the same.
    const isTold = shop.play && is && 0 < is.causes.length;
    if (!this.known && !this.whole && !isTold) return this.tell(at, "note", `Already had ${has} × {goods}`, { sku });
    const fresh = is ? is.causes.filter((cause) => !was || !was.causes.some((other) => isSame(cause, other))) : [];
    const event = weightiest(fresh, had < has) || (has < had ? this.returned(sku, at, shop) : null);
    if (event) this.claim(event, shop);
    if (has < had && !event) return this.correct(sku, had, has, at);
    if (had < has && !fresh.length) return this.correct(sku, had, has, at);
    // What went back may come with an event of its own in the line.
    if (had < has)
      this.tell(event ? event.end : at, "took", `Took ${has - had} × {goods}`, {
        sku,
        event,
        probability: is.probability,
      });
    else
      this.tell(event.end, "put", `Put back ${had - has} × {goods}`, {
        sku,
        event,
        probability: is ? is.probability : null,
      });
  }

  /** Nobody else put back or took what this event of a shelf was. */
  claim(event, shop) {
    for (const told of shop.events.values()) if (told === event || isSame(told, event)) told.claimed.add(this.id);
  }

  /** The event that may be somebody putting this back: something became heavier just now, and nobody has claimed it. */
  returned(sku, at, shop) {
    for (const event of [...shop.events.values()].reverse()) {
      if (event.end < at - RETURN_SPAN_MS) break;
      if (0 < event.grams && !event.claimed.size) return event;
    }
    return null;
  }

  correct(sku, had, has, at) {
    this.marks.set(sku, { had, has, at });
    this.tell(at, "corrected", has ? `Corrected: ${has} × {goods}, not ${had}` : "Corrected: no {goods}", { sku });
  }

  /** Is not named any more: gone, until a receipt says more. */
  leave(at) {
    this.over = true;
    this.left = at;
    this.version += 1;
  }

  close(receipt, now) {
    const second = this.receipt !== null;
    this.over = true;
    this.left = receipt.at;
    this.closed = now;
    this.receipt = receipt;
    if (!second) this.tell(receipt.at, "left", `Left after ${lasting((receipt.at - this.entered) / 1000)}`);
    const sum = receipt.lines.length ? money(receipt.total) : "nothing";
    if (receipt.for_review)
      this.tell(receipt.at + 1, "review", `${second ? "Second receipt" : "Receipt"} of ${sum} waits for a person`, {
        probability: receipt.probability,
      });
    else
      this.tell(receipt.at + 1, "booked", receipt.lines.length ? `Receipt of ${sum}, booked` : "Bought nothing", {
        probability: receipt.probability,
      });
  }

  /** What the provider has done; true once nothing more is to come. */
  pay(payment, now) {
    if (!payment || payment.standing === "open" || payment.standing === "settling") return false;
    if (!this.story.some((entry) => entry.kind === "charged" || entry.kind === "unpaid")) {
      if (payment.standing === "settled")
        this.tell(now, "charged", `Charged ${money(payment.paid)} by ${payment.provider}`);
      else this.tell(now, "unpaid", `Not paid: ${payment.refusal || payment.standing}`);
    }
    return true;
  }

  judge(truth, at) {
    this.truth = truth;
    if (!this.story.some((entry) => entry.kind === "right" || entry.kind === "wrong")) {
      this.tell(at + 2, truth.right ? "right" : "wrong", truth.right ? "The receipt is right" : "The receipt is wrong");
    }
  }

  /** Why a line is in the cart: a sentence for the event behind it that says most. */
  reason(line) {
    const first = weightiest(line.causes, true);
    const many = line.causes.length;
    return first ? sentence(because(first)) + (1 < many ? `, with ${many - 1} more` : "") : "";
  }

  mark(sku, now) {
    const mark = this.marks.get(sku);
    return mark && now - mark.at < MARK_MS ? mark : null;
  }

  units() {
    return [...this.lines.values()].reduce((sum, line) => sum + line.quantity, 0);
  }

  /** What the cart comes to by the prices of the floor, before discounts; null where a price is missing. */
  sum(shop) {
    let sum = null;
    for (const line of this.lines.values()) {
      const price = (shop.products.get(line.sku) || {}).price;
      if (!price) return null;
      sum = { ...price, minor: (sum ? sum.minor : 0) + price.minor * line.quantity };
    }
    return sum;
  }
}

/** Whether two tell of the same change. */
const isSame = (one, other) =>
  one.shelf === other.shelf && one.grams < 0 === other.grams < 0 && Math.abs(one.end - other.end) < SAME_MS;

/** Of these events the one that says most: the largest that went this way, or else the newest. A hand that leans on a shelf makes others. */
function weightiest(events, isTaken) {
  const fitting = events.filter((event) => event.grams < 0 === isTaken);
  return fitting.sort((a, b) => Math.abs(b.grams) - Math.abs(a.grams))[0] || events.at(-1);
}

/** Words with a capital. */
export const sentence = (words) => words[0].toUpperCase() + words.slice(1);

/** A shelf event in words. */
export function because(event) {
  // It is written again and again, and says the same.
  if (!event.words) event.words = inWords(event);
  return event.words;
}

function inWords(event) {
  const way = event.grams < 0 ? "lighter" : "heavier";
  const verb = event.grams < 0 ? "taken from" : "put on";
  return `${verb} shelf ${event.shelf}, ${grams(Math.abs(event.grams))} ${way}, at ${clock(event.end)}`;
}

/** A probability as one says it. */
export const sure = (probability) => `${percent(probability)} sure`;
