// The one stream of this tab: server-sent events, read with `fetch` so that the token travels in a header. Comes back by
// itself after a break, a server that went away, and a sleep of the machine, and goes on behind the last event it has.

import { bearer } from "./api.js";

/** The server says something every 15 s at the latest; silent for longer, the connection is dead. */
const SILENCE_MS = 20_000;
/** A second that took longer than this was a sleep. */
const SLEEP_MS = 6_000;
const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 15_000;

export class Stream {
  /** `event(name, data)` for each; `state({ word, until, detail })` whenever the connection changes. */
  constructor(event, state, path = "v1/live") {
    this.event = event;
    this.path = path;
    // What goes wrong in a view must not end the stream.
    this.state = (now) => {
      // An answer that was on its way when somebody signed out is nobody's any more.
      if (this.ended) return;
      try {
        state(now);
      } catch (error) {
        console.error("a view did not take the state of the stream", error);
      }
    };
    this.last = null;
    this.heard = 0;
    this.fails = 0;
    this.ended = false;
    this.held = false;
    this.beat = performance.now();
    this.pulse = setInterval(() => this.look(), 1_000);
    this.wake = () => {
      if (!document.hidden) this.look();
    };
    this.online = () => this.now();
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("online", this.online);
    this.run();
  }

  end() {
    this.ended = true;
    clearInterval(this.pulse);
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("online", this.online);
    if (this.control) this.control.abort();
    this.now();
  }

  /** Gives the connection back until it is let go on; what was missed then comes by the last event. */
  hold(held) {
    this.held = held;
    if (held && this.control) this.control.abort();
    this.now();
  }

  /** Does not wait any longer before the next try. */
  now() {
    if (this.skip) this.skip();
  }

  /** Milliseconds since anything came, a comment included. */
  silent() {
    return performance.now() - this.heard;
  }

  look() {
    const now = performance.now();
    // Hidden pages get fewer timers, which is no sleep.
    const slept = !document.hidden && SLEEP_MS < now - this.beat && SLEEP_MS < this.silent();
    this.beat = now;
    if (this.held) return;
    if (this.control && (slept || SILENCE_MS < this.silent())) {
      this.control.abort();
      this.now();
    }
  }

  async run() {
    while (!this.ended) {
      if (this.held) {
        this.state({ word: "held" });
        await new Promise((next) => {
          this.skip = next;
        });
        this.skip = null;
        continue;
      }
      const wait = await this.read().catch(() => null);
      if (this.ended || wait === Infinity) return;
      if (this.held) continue;
      this.fails += 1;
      const backoff =
        Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(this.fails - 1, 6)) * (0.8 + Math.random() * 0.4);
      const span = wait === null ? backoff : wait;
      this.state({ word: "broken", until: performance.now() + span, detail: this.detail });
      await new Promise((next) => {
        this.skip = next;
        setTimeout(next, span);
      });
      this.skip = null;
    }
  }

  /** Reads one connection to its end. Says how long to wait before the next: null for the usual, Infinity for never. */
  async read() {
    this.control = new AbortController();
    this.heard = performance.now();
    this.state({ word: "opening" });
    const headers = { Authorization: bearer(), Accept: "text/event-stream" };
    if (this.last) headers["Last-Event-ID"] = this.last;
    this.detail = "the server cannot be reached";
    const answer = await fetch(this.path, { headers, signal: this.control.signal, cache: "no-store" });
    if (!answer.ok) return this.refused(answer);
    this.detail = "the connection ended";
    this.state({ word: "open" });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "", begun = false; ;) {
      const { value, done } = await reader.read();
      // A stream that ended as it should, after ten minutes, is taken up at once.
      if (done) return begun ? 0 : null;
      this.heard = performance.now();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) begun = this.block(block) || begun;
      if (begun) this.fails = 0;
    }
  }

  block(text) {
    let id = null;
    let name = null;
    let data = "";
    for (const line of text.split("\n")) {
      if (line.startsWith("id: ")) id = line.slice(4);
      else if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (!name) return false;
    this.last = id || this.last;
    // What cannot be taken in must not come again for ever.
    try {
      this.event(name, JSON.parse(data));
    } catch (error) {
      console.error(`an event ${name} was not understood`, error);
    }
    return true;
  }

  async refused(answer) {
    const problem = await answer.json().catch(() => ({}));
    this.detail = problem.detail || answer.statusText;
    if (answer.status === 401 || answer.status === 403) {
      this.state({ word: answer.status === 401 ? "unknown" : "refused", detail: this.detail });
      return Infinity;
    }
    const after = Number(answer.headers.get("Retry-After"));
    return answer.status === 404 ? WAIT_MS_MAX : after ? Math.max(after, 1) * 1000 : null;
  }
}
