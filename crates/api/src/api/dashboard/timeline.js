// The time line of a recording that is watched: play, pause, speed, jumps to events and to lines that are wrong, and what is wrong
// in a sentence. It asks the server for every jump; what is shown then comes over the stream.

import { ask } from "./api.js";
import { element, number, write } from "./dom.js";
import { colours } from "./parts.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];
/** How often the time is written, milliseconds. */
const TURN_MS = 200;
/** How far an arrow key leads, seconds. */
const ARROW_SECS = 5;
/** A wrong line stays in words for so long behind its event, seconds. */
const WORDS_SECS = 12;
const TRIES_MS = 3_000;
const WISHES_MAX = 8;
const PAINT = ["ink", "faint", "rule", "mark", "doubt", "wrong", "paper"];

/** Minutes and seconds. */
export function minutes(secs) {
  const whole = Math.max(0, Math.floor(secs));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (count) => String(count).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export class TimeLine {
  constructor(root, { shop, go, say, signal }) {
    Object.assign(this, { root, shop, go, say, signal });
    this.line = null;
    this.wishes = [];
    this.under = null;
    this.busy = false;
    this.held = false;
    this.focus = null;
    this.load();
  }

  /** Asks for the time line, until it is there. */
  async load() {
    try {
      this.line = await ask("v1/replay", { signal: this.signal });
    } catch (error) {
      // Who may not read it, a screen on a wall, sees the recording without it.
      if (!this.signal.aborted && error.status !== 403 && error.status !== 404) setTimeout(() => this.load(), TRIES_MS);
      return;
    }
    if (this.signal.aborted) return;
    this.begins = Date.parse(this.line.begins);
    this.wrong = this.line.marks.filter((mark) => mark.kind === "wrong");
    this.build();
    this.shop.on("replay", () => this.paint(), this.signal);
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.signal });
    const size = new ResizeObserver(() => this.draw());
    size.observe(this.canvas);
    const turn = setInterval(() => this.paint(), TURN_MS);
    document.addEventListener("scheme", () => this.draw(), { signal: this.signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(), { signal: this.signal });
    this.signal.addEventListener("abort", () => {
      clearInterval(turn);
      size.disconnect();
    });
    this.paint();
  }

  build() {
    const { line } = this;
    const button = (text, name, keys, act) =>
      element("button", { type: "button", "aria-label": name, title: `${name} (${keys})`, onclick: act }, text);
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.slider = element("input", { type: "range", min: 0, max: line.length_secs, step: "any", value: 0 });
    this.slider.setAttribute("aria-label", "Time in the recording");
    this.slider.addEventListener("input", () => {
      this.held = true;
      this.paint();
      this.wish({ seek_secs: Number(this.slider.value) });
    });
    this.slider.addEventListener("change", () => {
      this.held = false;
    });
    this.playing = button("", "Play", "space", () => this.toggle());
    this.playing.className = "main play";
    this.clock = element("span", { className: "clock" });
    this.speed = element(
      "select",
      { "aria-label": "Speed" },
      ...SPEEDS.map((speed) => element("option", { value: speed }, `${speed} ×`)),
    );
    this.speed.onchange = () => this.wish({ speed: Number(this.speed.value) });
    const wrongs = this.wrong.length
      ? [
          button("◂ ✗", "Previous wrong line", "Shift+W", () => this.step("previous_wrong")),
          button("✗ ▸", "Next wrong line", "W", () => this.step("next_wrong")),
        ]
      : [];
    for (const one of wrongs) one.className = "wrong";
    this.words = element("p", { className: "sentence", "aria-live": "polite" });
    this.root.replaceChildren(
      element("div", { className: "track" }, this.canvas, this.slider),
      element(
        "div",
        { className: "row" },
        this.playing,
        button("◂ ●", "Previous event", "P", () => this.step("previous_event")),
        button("● ▸", "Next event", "N", () => this.step("next_event")),
        ...wrongs,
        this.clock,
        this.speed,
        element("span", { className: "faint" }, this.summary()),
        this.notes(),
      ),
      this.words,
    );
    this.root.hidden = false;
  }

  summary() {
    const { truth, recording, marks_left_out: out } = this.line;
    const rest = out ? `, ${number(out)} shelf marks left out` : "";
    if (!truth) return `${recording}: the truth is not known${rest}`;
    if (!truth.wrong && truth.judged === 1) return `${recording}: the one receipt is right${rest}`;
    if (!truth.wrong) return `${recording}: all ${number(truth.judged)} receipts are right${rest}`;
    const lines = truth.wrong_lines === 1 ? "1 wrong line" : `${number(truth.wrong_lines)} wrong lines`;
    return `${recording}: ${number(truth.wrong)} of ${number(truth.judged)} receipts wrong, ${lines}${rest}`;
  }

  /** What was lost of the recording: in words, not only on the terminal. */
  notes() {
    const { notes } = this.line;
    if (!notes.length) return null;
    return element(
      "details",
      { className: "losses" },
      element("summary", {}, notes.length === 1 ? "1 note about the input" : `${notes.length} notes about the input`),
      element("ul", {}, ...notes.map((note) => element("li", {}, note))),
    );
  }

  /** Seconds since the beginning. */
  now() {
    if (!this.shop.play) return 0;
    return Math.min(Math.max(0, (this.shop.now() - this.begins) / 1000), this.line.length_secs);
  }

  /** Where a jump that is under way leads; else now. */
  aim() {
    const under = [this.under, ...this.wishes.map(({ wish }) => wish)];
    const jump = under.findLast((wish) => wish && "seek_secs" in wish);
    return jump ? jump.seek_secs : this.now();
  }

  toggle() {
    const play = this.shop.play;
    this.wish({ playing: !(play && play.playing) });
  }

  step(step) {
    this.wish({ step });
  }

  /** Says a wish, and is done when that is. While one is under way a few wait; of jumps to a time only the newest. */
  wish(wish) {
    const last = this.wishes.at(-1);
    if (last && "seek_secs" in last.wish && "seek_secs" in wish) this.wishes.pop().done();
    if (WISHES_MAX <= this.wishes.length) return Promise.resolve();
    const until = new Promise((done) => {
      this.wishes.push({ wish, done });
    });
    if (!this.busy) this.carryOut();
    return until;
  }

  async carryOut() {
    this.busy = true;
    while (this.wishes.length && !this.signal.aborted) {
      const { wish, done } = this.wishes.shift();
      this.under = wish;
      try {
        const state = await ask("v1/replay", { method: "POST", body: wish, signal: this.signal });
        this.failed = null;
        if (wish.step) this.land(state.at_secs, wish.step);
      } catch (error) {
        if (this.signal.aborted) return;
        this.failed = error.message;
      }
      this.under = null;
      done();
    }
    this.busy = false;
    this.paint();
  }

  /** A jump to a mark: it is said, and shown in words. */
  land(secs, step) {
    const isWrong = step.endsWith("wrong");
    const at = (isWrong ? this.wrong : this.line.marks).find((mark) => Math.abs(mark.from_secs - secs) < 0.01);
    this.focus = at || null;
    if (at && at.kind !== "wrong") this.say(`${minutes(at.at_secs)}: ${at.words}`);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const target = event.target;
    if (target.closest("input:not([type=range]), textarea, select, summary")) return;
    const onButton = target.closest("button, a, [role=button]");
    const arrow = { ArrowLeft: -ARROW_SECS, ArrowRight: ARROW_SECS }[event.key];
    // Arrows move among the views, the cases and the plates where these have the focus.
    if (arrow && (!onButton || target === this.slider)) this.wish({ seek_secs: Math.max(0, this.aim() + arrow) });
    else if (event.key === " " && !onButton) this.toggle();
    else if (event.key === "n") this.step("next_event");
    else if (event.key === "p") this.step("previous_event");
    else if (event.key === "w") this.step("next_wrong");
    else if (event.key === "W") this.step("previous_wrong");
    else return;
    event.preventDefault();
  }

  /** Brings everything that moves up to date. */
  paint() {
    const play = this.shop.play;
    if (!this.line || !play) return;
    const secs = this.held ? Number(this.slider.value) : this.now();
    if (!this.held) this.slider.value = secs;
    const length = this.line.length_secs;
    const told = `${minutes(secs)} of ${minutes(length)}`;
    if (this.slider.getAttribute("aria-valuetext") !== told) this.slider.setAttribute("aria-valuetext", told);
    write(this.clock, `${minutes(secs)} / ${minutes(length)}`);
    const word = play.playing ? "Pause" : "Play";
    if (this.playing.getAttribute("aria-label") !== word) {
      this.playing.setAttribute("aria-label", word);
      this.playing.title = `${word} (space)`;
    }
    write(this.playing, play.playing ? "❚❚" : "▶");
    if (document.activeElement !== this.speed) this.speed.value = String(play.speed);
    this.sentence(secs);
  }

  /** What is wrong, in a sentence: the line that was jumped to, or whose event was just shown. */
  sentence(secs) {
    const near = (mark) => mark.from_secs - 0.01 <= secs && secs <= Math.max(mark.at_secs, mark.from_secs) + WORDS_SECS;
    if (this.focus && !near(this.focus)) this.focus = null;
    const mark = this.focus || this.wrong.findLast(near) || null;
    const key = this.failed || (mark ? `${mark.kind} ${mark.at_secs} ${mark.words}` : "");
    if (this.words.dataset.key === key) return;
    this.words.dataset.key = key;
    if (this.failed) return this.words.replaceChildren(`That could not be done: ${this.failed}`);
    if (!mark) return this.words.replaceChildren();
    const parts = [
      mark.kind === "wrong" ? element("strong", { className: "sign-wrong" }, "✗ Wrong: ") : null,
      `${minutes(mark.at_secs)}: ${mark.words}. `,
    ];
    const link = (text, act) => element("button", { type: "button", className: "link", onclick: act }, text);
    if (mark.visit !== null) parts.push(link("Open the visit", () => this.go("floor", String(mark.visit))));
    const receipt =
      mark.cart && this.line.marks.findLast((other) => other.kind === "receipt" && other.cart === mark.cart);
    if (receipt && receipt !== mark) parts.push(link("Go to its receipt", () => this.receipt(receipt)));
    this.words.replaceChildren(...parts.filter(Boolean));
  }

  async receipt(mark) {
    await this.wish({ seek_secs: mark.from_secs + 0.001 });
    this.go("receipts", mark.cart);
  }

  /** Draws the marks: what is wrong has a lane, a shape and a colour of its own. */
  draw() {
    if (!this.line) return;
    const box = this.canvas.getBoundingClientRect();
    const dense = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.max(1, Math.round(box.width * dense));
    this.canvas.height = Math.max(1, Math.round(box.height * dense));
    const pen = this.canvas.getContext("2d");
    pen.scale(dense, dense);
    const paint = colours(...PAINT);
    const length = this.line.length_secs || 1;
    const x = (secs) => EDGE + (secs / length) * (box.width - 2 * EDGE);
    for (const mark of this.line.marks) SHAPES[mark.kind](pen, x(mark.at_secs), paint, mark);
  }
}

/** Half the width of the slider's thumb: where its track begins. */
const EDGE = 8;
const TOP = 7;
const LOW = 20;

const SHAPES = {
  shelf(pen, x, paint) {
    pen.fillStyle = paint.faint;
    pen.fillRect(x - 0.5, LOW - 4, 1, 8);
  },
  entered(pen, x, paint) {
    triangle(pen, x, LOW, 4, paint.mark);
  },
  left(pen, x, paint) {
    triangle(pen, x, LOW, -4, paint.faint);
  },
  receipt(pen, x, paint, mark) {
    pen.beginPath();
    pen.rect(x - 3, TOP - 4, 6, 8);
    pen.lineWidth = 1.5;
    pen.strokeStyle = pen.fillStyle = mark.right === false ? paint.wrong : paint.mark;
    if (mark.right === false) pen.stroke();
    else pen.fill();
  },
  wrong(pen, x, paint) {
    pen.strokeStyle = paint.wrong;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.moveTo(x - 4, TOP - 4);
    pen.lineTo(x + 4, TOP + 4);
    pen.moveTo(x + 4, TOP - 4);
    pen.lineTo(x - 4, TOP + 4);
    pen.stroke();
    pen.fillStyle = paint.wrong;
    pen.fillRect(x - 0.75, TOP + 6, 1.5, LOW - TOP - 2);
  },
};

function triangle(pen, x, y, half, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x - half, y - 4);
  pen.lineTo(x + half, y);
  pen.lineTo(x - half, y + 4);
  pen.fill();
}
