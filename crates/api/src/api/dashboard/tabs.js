// A browser gives one server six connections over all its tabs, and a stream holds one for as long as it lives. So a tab
// that nobody sees gives its stream back, and of those that are seen the latest few keep theirs; the others say that they
// are paused until somebody looks at them again.

/** Streams of one browser at a time; two connections stay for everything else. */
const STREAMS_MAX = 4;
/** A tab that nobody sees gives its stream back after so long. */
const HIDDEN_MS = 10_000;
const BEAT_MS = 1_000;
/** A tab that was silent for so long is closed. */
const GONE_MS = 3_500;

export class Tabs {
  /** Calls back with whether this tab has to pause, at every change. */
  constructor(change) {
    this.change = change;
    this.held = false;
    this.looked = Date.now();
    this.hidden = document.hidden ? Date.now() : null;
    this.others = new Map();
    this.id = `${Date.now()}-${Math.random()}`;
    this.channel = new BroadcastChannel("aisle-streams");
    this.channel.onmessage = ({ data }) => this.others.set(data.id, { ...data, at: Date.now() });
    this.control = new AbortController();
    const { signal } = this.control;
    window.addEventListener("focus", () => this.look(), { signal });
    window.addEventListener("pointerdown", () => this.look(), { signal });
    document.addEventListener("visibilitychange", () => this.see(), { signal });
    this.beat = setInterval(() => this.weigh(), BEAT_MS);
    this.tell();
  }

  end() {
    this.control.abort();
    clearInterval(this.beat);
    this.channel.close();
  }

  tell() {
    this.channel.postMessage({ id: this.id, looked: this.looked, streams: !this.held });
  }

  see() {
    this.hidden = document.hidden ? Date.now() : null;
    if (!document.hidden) this.look();
  }

  look() {
    this.looked = Date.now();
    this.weigh();
  }

  weigh() {
    const now = Date.now();
    for (const [id, other] of this.others) if (GONE_MS < now - other.at) this.others.delete(id);
    const before = [...this.others.values()].filter(
      (other) => other.streams && (this.looked < other.looked || (this.looked === other.looked && this.id < other.id)),
    );
    const held = STREAMS_MAX <= before.length || (this.hidden !== null && HIDDEN_MS < now - this.hidden);
    if (held !== this.held) {
      this.held = held;
      this.change(held);
    }
    this.tell();
  }
}
