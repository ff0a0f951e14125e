// Programs that a run starts: the demonstration, or a shop with devices and a broker. Each is ended with the run, however that
// ends, and what it said is kept.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { until } from "./checks.mjs";

/** The program under test. */
export const AISLE = resolve(process.env.AISLE || "target/release/aisle");

const running = new Set();
const folders = new Set();

/** Ends whatever still runs. */
export function endAll() {
  for (const program of running) program.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
process.on("exit", endAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** A folder that goes away with the run. */
export function folder() {
  const made = mkdtempSync(join(tmpdir(), "aisle-browser-"));
  folders.add(made);
  return made;
}

/** A port that was free a moment ago. */
export const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

/** A program, and the lines that it has said. */
export class Program {
  constructor(command, args, fields = {}) {
    this.lines = [];
    this.child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...fields });
    this.ended = new Promise((next) => {
      this.child.on("error", (error) => this.lines.push(`cannot be started: ${error.message}`));
      this.child.on("close", (code) => {
        running.delete(this);
        this.code = code;
        next(code);
      });
    });
    running.add(this);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      let rest = "";
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop();
        // Of a bar that shows progress the last state counts.
        this.lines.push(
          ...lines.map((line) =>
            line
              .replace(/\r$/, "")
              .replace(/^.*\r/, "")
              .replace(/\x1b\[[0-9;]*[A-Za-z]/g, ""),
          ),
        );
      });
    }
  }

  /** The process itself: behind a terminal it is the child of whoever gave it that. */
  get pid() {
    return this.child.pid;
  }

  kill(signal) {
    try {
      process.kill(this.pid, signal);
    } catch {
      // It has ended by itself.
    }
  }

  /** What a line of it matches, once there is one. */
  async says(pattern, secs) {
    const found = await until(() => {
      if (this.code !== undefined && this.code !== null) return "ended";
      return this.lines.some((line) => pattern.test(line));
    }, secs);
    const match = this.lines.map((line) => pattern.exec(line)).find(Boolean);
    if (match) return match;
    throw new Error(
      `it ${found === "ended" ? "ended" : `did not say ${pattern} within ${secs} s`}:\n${this.lines.slice(-20).join("\n")}`,
    );
  }
}

/** A program on a terminal, as somebody sees it who typed it. */
class OnTerminal extends Program {
  constructor(command, args) {
    const quoted = [command, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    super("script", ["-qefc", `exec ${quoted}`, "/dev/null"]);
  }

  get pid() {
    const [child] = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8").trim().split(" ");
    return child ? Number(child) : this.child.pid;
  }

  kill(signal) {
    super.kill(signal);
    // Without its program the terminal ends by itself; it is not waited for.
    // Where its program is stopped, it stops as well.
    if (signal === "SIGKILL" || signal === "SIGCONT") this.child.kill(signal);
  }
}

/** The demonstration, and what its terminal tells: who came in, what they have, what became of them. */
export class Demo extends OnTerminal {
  constructor(...args) {
    super(AISLE, ["demo", "--listen", "127.0.0.1:0", ...args]);
  }

  /** Waits until it is open; it has rendered its film by then. */
  async open(secs) {
    [, this.url] = await this.says(/^The shop is open: (http:\S+)/, secs);
    [, this.token] = await this.says(/^Sign in there with this token: (aisle_\S+)/, 5);
  }

  /** Shoppers by name, in the order in which they came: what they have, and of those who left whether that was right. */
  shoppers() {
    const all = new Map();
    let last = null;
    for (const line of this.lines) {
      const [, item] = /^ {13}(\d+ x .+)$/.exec(line) || [];
      if (item && last && last.left) last.receipt.push(item);
      const [, name, words] = /^ *[\d.]+ s {3}(shopper \d+) (.+)$/.exec(line) || [];
      if (!name) continue;
      if (!all.has(name)) all.set(name, { name, goods: new Map(), taken: 0, left: false, receipt: [] });
      const shopper = (last = all.get(name));
      const [, took, more] = /^takes (\d+) x (.+) \(\d+ % sure\)$/.exec(words) || [];
      const [, gone, less] = /^has (\d+) x (.+) less$/.exec(words) || [];
      const [, sum, review, verdict] =
        /^has left: (.+), \d+ % sure(, a person will look at it)?\. (RIGHT|WRONG)/.exec(words) || [];
      const add = (goods, units) => shopper.goods.set(goods, (shopper.goods.get(goods) || 0) + units);
      if (took) add(more, Number(took));
      if (took) shopper.taken += Number(took);
      if (gone) add(less, -Number(gone));
      // A second receipt takes the place of the first.
      if (verdict)
        Object.assign(shopper, {
          left: true,
          sum,
          forReview: Boolean(review),
          right: verdict === "RIGHT",
          receipt: [],
        });
    }
    return [...all.values()];
  }

  /** What is in the carts of those inside, as `1 × goods`, sorted. */
  carts() {
    const lines = (shopper) =>
      [...shopper.goods].filter(([, units]) => units).map(([goods, units]) => `${units} × ${goods}`);
    return this.shoppers()
      .filter((shopper) => !shopper.left)
      .flatMap(lines)
      .sort();
  }

  inside() {
    return this.shoppers().filter((shopper) => !shopper.left).length;
  }

  /** The last word: the line of sums, once the last shopper has left. */
  summary() {
    const line = this.lines
      .map((text) => /^(\d+) shoppers, .*; (\d+) receipts: (\d+) right, (\d+) wrong .*; (\d+) for review;/.exec(text))
      .find(Boolean);
    if (!line) return null;
    const [, shoppers, receipts, right, wrong, forReview] = line.map(Number);
    return { shoppers, receipts, right, wrong, forReview };
  }
}

/** A shop of its own: a broker, simulated devices that speak with it, and a server that can be killed and started again. */
export class Shop {
  /** `film` is made by `aisle simulate`; `mosquitto` names the broker's program. */
  constructor(film, mosquitto) {
    Object.assign(this, { film, mosquitto, folder: folder() });
  }

  async open({ lead = 4 } = {}) {
    this.port = await freePort();
    const broker = await freePort();
    const config = join(this.folder, "mosquitto.conf");
    writeFileSync(
      config,
      `listener ${broker} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n${process.getuid() ? "" : "user root\n"}`,
    );
    this.broker = new Program(this.mosquitto, ["-c", config]);
    const made = new Program(AISLE, ["token", "create", "--db", "book.db", "--role", "operator", "--holder", "test"], {
      cwd: this.folder,
    });
    [, this.token] = await made.says(/(aisle_\S+)/, 30);
    await made.ended;
    const url = `mqtt://127.0.0.1:${broker}`;
    const play = [
      "simulate",
      "--live",
      "--play",
      this.film,
      "--broker",
      url,
      "--write-shop",
      "shop",
      "--people",
      "--walk-ins",
    ];
    this.devices = new Program(AISLE, [...play, "--lead", String(lead)], { cwd: this.folder });
    await until(() => existsSync(join(this.folder, "shop", "devices.toml")), 30);
    await this.serve();
  }

  async serve() {
    const args = ["serve", "--shop", "shop", "--db", "book.db", "--listen", `127.0.0.1:${this.port}`];
    this.server = new Program(AISLE, args, { cwd: this.folder });
    [, this.url] = await this.server.says(/(http:\/\/\S+)/, 30);
  }

  async close() {
    for (const program of [this.devices, this.server, this.broker]) program.kill("SIGKILL");
    await Promise.all([this.devices.ended, this.server.ended, this.broker.ended]);
  }
}

/** Makes a film to play. */
export async function film(path, ...args) {
  const maker = new Program(AISLE, ["simulate", "-o", path, ...args]);
  if ((await maker.ended) !== 0) throw new Error(`no film was made:\n${maker.lines.join("\n")}`);
}

/** What the API says to somebody with this token. */
export async function ask(url, token, path, fields = {}) {
  const headers = {
    Authorization: `Bearer ${token}`,
    ...(fields.body ? { "Content-Type": "application/json" } : {}),
  };
  const answer = await fetch(new URL(path, url), {
    headers,
    ...fields,
    body: fields.body && JSON.stringify(fields.body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
