// What the dashboard costs and how late it is, with many people on the floor: a real server, devices that are played by
// crowd.py, and a real browser.
//
//   node benches/dashboard/measure.mjs [ROUNDS]     3 unless given; `.ci/browser install` brings what it needs
//
// Needs mosquitto (AISLE_TEST_MQTT names it), python3, and `aisle` (AISLE, or target/release/aisle). AISLE_DASHBOARD names a folder
// whose files stand in for those of the page. It prints the median of the rounds with their least and most, and the load of the
// machine beside it.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pause, until } from "../../tests/browser/tools/checks.mjs";
import { AISLE, Program, ask, folder, freePort } from "../../tests/browser/tools/programs.mjs";
import { Tab, browse } from "../../tests/browser/tools/tab.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const PEOPLE = 20;
const PAGES = 10;
const SPAN_SECS = 15;
/** With nobody who looks and with ten is measured by turns, for what else the server does goes up and down. */
const TURNS = 4;
const TURN_SECS = 10;
const SLOWER = 4;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1360, height: 850 } };

const rounds = Number(process.argv[2] || 3);

/** A share of sorted values. */
const at = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
const round = (value) => Math.round(value * 100) / 100;

/** A shop with a crowd in it. */
async function open() {
  const made = folder();
  const [broker, port] = [await freePort(), await freePort()];
  writeFileSync(
    join(made, "mosquitto.conf"),
    `listener ${broker} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n${process.getuid() ? "" : "user root\n"}`,
  );
  const cwd = made;
  const programs = [new Program(process.env.AISLE_TEST_MQTT || "mosquitto", ["-c", "mosquitto.conf"], { cwd })];
  const python = (...args) => new Program("python3", [join(HERE, "crowd.py"), ...args], { cwd });
  await python("shop", "shop", `127.0.0.1:${broker}`).ended;
  if (!existsSync(join(made, "shop", "devices.toml"))) throw new Error("no shop was made");
  const maker = new Program(AISLE, ["token", "create", "--db", "book.db", "--role", "operator", "--holder", "bench"], {
    cwd,
  });
  const [, token] = await maker.says(/(aisle_\S+)/, 30);
  const server = new Program(AISLE, ["serve", "--shop", "shop", "--db", "book.db", "--listen", `127.0.0.1:${port}`], {
    cwd,
  });
  const [, url] = await server.says(/(http:\/\/\S+)/, 30);
  const crowd = python("play", `127.0.0.1:${broker}`, String(PEOPLE), "3600");
  const inside = await until(async () => {
    if (server.code !== undefined) throw new Error(server.lines.slice(-20).join("\n"));
    return (await ask(url, token, "v1/today")).shoppers_inside === PEOPLE;
  }, 90);
  if (!inside)
    throw new Error(
      `not all came in: ${JSON.stringify(await ask(url, token, "v1/today"))}\n${server.lines.slice(-10).join("\n")}`,
    );
  return { url, token, server, programs: [...programs, server, crowd] };
}

/** Page weight and first paint, of a browser that has never been there. */
async function arrive(browser, { url }) {
  const context = await browser.newContext(DESK);
  const { page } = await Tab.open(context);
  await page.goto(url, { waitUntil: "load" });
  await until(() => page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length), 10);
  const found = await page.evaluate(() => {
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const sum = (key) => all.reduce((total, one) => total + one[key], 0);
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return { weight: sum("decodedBodySize"), sent: sum("transferSize"), files: all.length, paint: paint.startTime };
  });
  await context.close();
  return found;
}

/** Script of the main thread by frame, from a trace: time of the processor, milliseconds. */
function byFrame(trace) {
  const events = trace.traceEvents.filter((event) => event.ph === "X");
  const frames = events.filter((event) => event.name === "FireAnimationFrame");
  const threads = new Map();
  for (const { pid, tid } of frames) threads.set(`${pid} ${tid}`, (threads.get(`${pid} ${tid}`) || 0) + 1);
  const [main] = [...threads].sort((a, b) => b[1] - a[1])[0];
  const SCRIPT =
    /^(FunctionCall|EvaluateScript|RunMicrotasks|FireAnimationFrame|TimerFire|EventDispatch|v8\.run|v8\.callFunction|V8\.GC.*|MinorGC|MajorGC)$/;
  // Reading the stream is no task of its own in a trace: the page marks it.
  const marks = new Map();
  const read = [];
  for (const { ph, name, id, id2, ts } of trace.traceEvents) {
    if (name !== "stream" || !["b", "e"].includes(ph)) continue;
    const key = id || (id2 && id2.local);
    if (ph === "b") marks.set(key, ts);
    else if (marks.has(key)) read.push({ ts: marks.get(key), dur: ts - marks.get(key) });
  }
  const scripts = [...read, ...events]
    .filter((event) => !event.name || (`${event.pid} ${event.tid}` === main && SCRIPT.test(event.name)))
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const starts = frames
    .filter((event) => `${event.pid} ${event.tid}` === main)
    .map((event) => event.ts)
    .sort((a, b) => a - b);
  const spent = new Array(starts.length).fill(0);
  let end = 0;
  let frame = -1;
  for (const { ts, dur, tdur } of scripts) {
    // What lies within another one is counted there.
    if (ts < end) continue;
    end = ts + dur;
    while (frame + 1 < starts.length && starts[frame + 1] <= ts) frame += 1;
    if (0 <= frame) spent[frame] += (tdur === undefined ? dur : tdur) / 1000;
  }
  return { spent: spent.slice(0, -1), secs: (starts.at(-1) - starts[0]) / 1e6 };
}

async function script(browser, { url, token }) {
  const context = await browser.newContext(PHONE);
  const tab = await Tab.open(context);
  // From a part of the stream that came to the moment when the page waits for the next.
  await tab.page.addInitScript(() => {
    const read = ReadableStreamDefaultReader.prototype.read;
    let came = 0;
    ReadableStreamDefaultReader.prototype.read = function () {
      if (came) performance.measure("stream", { start: came, end: performance.now() });
      return read.call(this).then((part) => ((came = performance.now()), part));
    };
  });
  await tab.signIn(url, token);
  await until(() => tab.count(".cart"), 20);
  await pause(4_000);
  await tab.cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await pause(2_000);
  await browser.startTracing(tab.page, {
    categories: ["devtools.timeline", "blink.user_timing", "v8", "disabled-by-default-v8.gc"],
  });
  await pause(SPAN_SECS * 1000);
  const trace = JSON.parse((await browser.stopTracing()).toString());
  if (process.env.AISLE_TRACE) writeFileSync(process.env.AISLE_TRACE, JSON.stringify(trace));
  const { spent, secs } = byFrame(trace);
  const carts = await tab.count(".cart");
  await context.close();
  const mean = spent.reduce((sum, one) => sum + one, 0) / spent.length;
  return { mean, p50: at(spent, 0.5), p95: at(spent, 0.95), p99: at(spent, 0.99), fps: spent.length / secs, carts };
}

/** Where the time of script goes, by function; with AISLE_PROFILE only. */
async function profile(browser, { url, token }) {
  const context = await browser.newContext(PHONE);
  const tab = await Tab.open(context);
  await tab.signIn(url, token);
  await pause(5_000);
  await tab.cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await tab.cdp.send("Profiler.enable");
  await tab.cdp.send("Profiler.start");
  await pause(SPAN_SECS * 1000);
  const { profile: found } = await tab.cdp.send("Profiler.stop");
  const spent = new Map();
  const nodes = new Map(found.nodes.map((node) => [node.id, node.callFrame]));
  found.samples.forEach((id, index) => {
    const { functionName, url: file, lineNumber } = nodes.get(id);
    const key = `${functionName} ${file.split("/").pop()}:${lineNumber + 1}`;
    spent.set(key, (spent.get(key) || 0) + found.timeDeltas[index] / 1000);
  });
  for (const [key, ms] of [...spent].sort((a, b) => b[1] - a[1]).slice(0, 25))
    console.log(`${Math.round(ms).toString().padStart(6)} ms  ${key}`);
  await context.close();
}

/** From an event that the server sends to the frame that has it, milliseconds: a second reader says when it was sent. */
async function paint(browser, { url, token }) {
  const context = await browser.newContext(DESK);
  const tab = await Tab.open(context);
  await tab.page.addInitScript(() => {
    window.painted = [];
    const parse = JSON.parse;
    JSON.parse = (...args) => {
      const value = parse(...args);
      if (value && value.change) {
        const key = args[0];
        // After the frame that comes next, when what it drew is given to the compositor.
        requestAnimationFrame(() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () => window.painted.push([key, performance.timeOrigin + performance.now()]);
          channel.port2.postMessage(0);
        });
      }
      return value;
    };
  });
  await tab.signIn(url, token);
  await until(() => tab.count(".cart"), 20);
  await pause(2_000);
  const sent = new Map();
  const reader = read(url, token, (data, now) => sent.set(data, now));
  await pause(SPAN_SECS * 1000);
  await reader.stop();
  const painted = await tab.page.evaluate(() => window.painted);
  const late = painted
    .filter(([key]) => sent.has(key))
    .map(([key, when]) => [JSON.parse(key).change, when - sent.get(key)]);
  await context.close();
  const kind = (wanted) => late.filter(([change]) => !wanted || change === wanted).map(([, ms]) => ms);
  return {
    n: late.length,
    p50: at(kind(), 0.5),
    p95: at(kind(), 0.95),
    p99: at(kind(), 0.99),
    carts: at(kind("carts"), 0.95),
    shelf: at(kind("shelf"), 0.95),
  };
}

/** Reads the stream as a page does, which holds one for as long as it is open. */
function read(url, token, event = () => {}) {
  const control = new AbortController();
  const bytes = { count: 0 };
  const work = (async () => {
    const answer = await fetch(new URL("v1/live", url), {
      headers: { Authorization: `Bearer ${token}` },
      signal: control.signal,
    });
    if (!answer.ok) throw new Error(`the stream is refused: ${answer.status}`);
    let rest = "";
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
      const now = performance.timeOrigin + performance.now();
      bytes.count += part.length;
      const blocks = (rest + part).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const data = block.split("\n").find((line) => line.startsWith("data: "));
        if (data) event(data.slice(6), now);
      }
    }
  })().catch((error) => {
    if (!control.signal.aborted) throw error;
  });
  return { bytes, stop: () => (control.abort(), work) };
}

/** Time of the processor that a process has taken, seconds. */
function busy(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Time of the server's processor with nobody who looks and with ten, by turns, percent of a core. */
async function cost({ url, token, server }) {
  const span = async () => {
    const [from, begun] = [busy(server.pid), Date.now()];
    await pause(TURN_SECS * 1000);
    return (100 * (busy(server.pid) - from) * 1000) / (Date.now() - begun);
  };
  const [none, ten, more] = [[], [], []];
  let kilobytes = 0;
  for (let turn = 0; turn < TURNS; turn += 1) {
    none.push(await span());
    const readers = Array.from({ length: PAGES }, () => read(url, token));
    await pause(1_000);
    const before = readers[0].bytes.count;
    ten.push(await span());
    kilobytes += (readers[0].bytes.count - before) / 1000 / TURN_SECS / TURNS;
    await Promise.all(readers.map((reader) => reader.stop()));
    more.push(ten.at(-1) - none.at(-1));
  }
  return { none: at(none, 0.5), ten: at(ten, 0.5), more: more.reduce((sum, one) => sum + one, 0) / TURNS, kilobytes };
}

const shop = await open();
const found = { arrive: [], script: [], paint: [], cost: [] };
for (let turn = 0; turn < rounds; turn += 1) {
  const browser = await browse();
  if (process.env.AISLE_PROFILE) await profile(browser, shop);
  found.arrive.push(await arrive(browser, shop));
  found.script.push(await script(browser, shop));
  found.paint.push(await paint(browser, shop));
  await browser.close();
  found.cost.push(await cost(shop));
  console.log(`round ${turn + 1}: load of the machine ${loadavg()[0].toFixed(1)}`);
}
for (const [name, all] of Object.entries(found)) {
  for (const key of Object.keys(all[0])) {
    const values = all.map((one) => one[key]);
    console.log(
      `${name}.${key}: ${round(at(values, 0.5))} (${round(Math.min(...values))} to ${round(Math.max(...values))})`,
    );
  }
}
process.exit(0);
