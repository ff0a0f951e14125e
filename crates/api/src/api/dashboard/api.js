// Asks the server, with the token of this tab in the header and nowhere else. Tells apart what it refuses from what it
// does not have, and asks again and again for what a view shows, one request at a time.

const KEY = "token";
/** Seconds after which a request has failed. */
const PATIENCE_SECS = 30;

let token = sessionStorage.getItem(KEY) || "";
let lost = () => {};

/** What the server would not do: its problem document. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title || "The server did not answer as expected.");
    this.status = problem.status;
  }

  /** The role of the token, where the server says that it may not. */
  get role() {
    return this.status === 403 ? (/role (\w+)/.exec(this.message) || [])[1] : undefined;
  }
}

export const known = () => token !== "";
export const bearer = () => `Bearer ${token}`;
/** Called once the token is not taken any more. */
export const onLost = (call) => {
  lost = call;
};

export function keep(secret) {
  token = secret;
  sessionStorage.setItem(KEY, secret);
}

export function forget() {
  token = "";
  sessionStorage.removeItem(KEY);
}

async function request(path, fields) {
  const headers = { Authorization: bearer() };
  if (fields.body) headers["Content-Type"] = "application/json";
  const late = AbortSignal.timeout(PATIENCE_SECS * 1000);
  const signal = fields.signal ? AbortSignal.any([fields.signal, late]) : late;
  const body = fields.body && JSON.stringify(fields.body);
  let answer;
  try {
    answer = await fetch(path, { method: fields.method || "GET", headers, body, signal, cache: "no-store" });
  } catch (error) {
    if (fields.signal && fields.signal.aborted) throw error;
    throw new Refused({ status: 0, detail: "The server cannot be reached." });
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({ title: answer.statusText }));
  if (answer.status === 401) lost(problem.detail);
  throw new Refused({ ...problem, status: answer.status });
}

/** The answer as JSON; null where there is none. A path of the server begins without a slash. */
export async function ask(path, fields = {}) {
  const answer = await request(path, fields);
  return answer.status === 204 ? null : answer.json();
}

/** A picture, and when it was taken. Whoever shows it gives its URL back with `URL.revokeObjectURL`. */
export async function picture(path, signal) {
  const answer = await request(path, { signal });
  const age = answer.headers.get("X-Picture-Age-Seconds");
  const taken = Date.parse(answer.headers.get("X-Picture-Time"));
  return {
    url: URL.createObjectURL(await answer.blob()),
    taken,
    age: age === null ? NaN : Number(age),
    came: Date.now(),
  };
}

/** All pages of a list, 50 at most. */
export async function all(path, signal) {
  const items = [];
  for (let after = null, pages = 0; pages < 50; pages += 1) {
    const page = await ask(`${path}?limit=200${after ? `&after=${encodeURIComponent(after)}` : ""}`, { signal });
    items.push(...page.items);
    after = page.next;
    if (!after) break;
  }
  return items;
}

/** Does something again and again while the page is to be seen, never twice at a time; slower while it fails. */
export class Turns {
  constructor(every, turn, failed) {
    this.every = every;
    this.turn = turn;
    this.failed = failed;
    this.control = new AbortController();
    this.fails = 0;
    this.seen = () => {
      if (!document.hidden && this.waiting) this.run();
    };
    document.addEventListener("visibilitychange", this.seen);
    this.run();
  }

  async run() {
    clearTimeout(this.waiting);
    this.waiting = null;
    try {
      if (!document.hidden) await this.turn(this.control.signal);
      this.fails = 0;
    } catch (error) {
      if (this.control.signal.aborted) return;
      this.fails += 1;
      this.failed(error);
      if (error.status === 403 || error.status === 404) return;
    }
    if (this.control.signal.aborted) return;
    this.waiting = setTimeout(() => this.run(), this.every * 2 ** Math.min(this.fails, 4));
  }

  end() {
    this.control.abort();
    clearTimeout(this.waiting);
    document.removeEventListener("visibilitychange", this.seen);
  }
}
