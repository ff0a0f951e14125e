// How every device is: the word, since when, why, and what to do. Those that are not well come first.

import { Turns, ask } from "./api.js";
import { day, element, lasting, number } from "./dom.js";
import { fill } from "./charts.js";
import { empty, health, heading } from "./parts.js";

const TURN_MS = 5_000;
/** A certificate that ends sooner is marked: two weeks. */
const CERTIFICATE_MS = 14 * 86_400_000;
/** Cards beside each other at most. */
const COLUMNS_MAX = 4;
const KINDS = {
  camera: "Cameras",
  board: "Boards",
  people: "People",
  gate: "Gates",
  broker: "Broker",
  door: "Doors",
  reader: "Readers",
  book: "Book",
  journal: "Journal",
  recorder: "Recorder",
};
/** Less of what is expected than this is too little. */
const LOW_SHARE = 0.6;
const BAD = ["offline", "frozen", "degraded"];

export const view = { name: "devices", title: "Devices", roles: ["operator", "screen"], floorless: true, mount };

function mount(root, { shop, refuse, signal }) {
  const count = element("span", { className: "count" });
  const body = element("div", { className: "devices" });
  root.append(heading("Devices", count), body);
  let asked = 0;
  const paint = () => {
    if (body.querySelector("details[open]") && body.contains(document.activeElement)) return;
    const open = new Set([...body.querySelectorAll("details[open]")].map((one) => one.dataset.device));
    const all = [...shop.devices.values()];
    const bad = all.filter((one) => BAD.includes(one.health)).length;
    count.textContent = all.length
      ? `${number(all.length)} devices, ${bad ? `${number(bad)} not well` : "all well"}`
      : "";
    const kinds = [...new Set([...Object.keys(KINDS), ...all.map((one) => one.kind)])];
    const age = asked ? (Date.now() - asked) / 1000 : 0;
    body.replaceChildren(
      ...kinds
        .map((kind) =>
          group(
            kind,
            all.filter((one) => one.kind === kind),
            open,
            age,
            shop,
          ),
        )
        .filter(Boolean),
    );
    if (!all.length) body.replaceChildren(empty("No device is known."));
  };
  const turns = new Turns(
    TURN_MS,
    async (turn) => {
      const found = await ask("v1/devices", { signal: turn });
      for (const device of Array.isArray(found) ? found : found.items) shop.devices.set(device.device, device);
      asked = Date.now();
      paint();
    },
    (error) => {
      if (error.status === 403 || !shop.devices.size) refuse(error);
    },
  );
  shop.on("health", paint, signal);
  signal.addEventListener("abort", () => turns.end());
  return {};
}

function group(kind, devices, open, age, shop) {
  if (!devices.length) return null;
  const rank = (device) => (BAD.includes(device.health) ? BAD.indexOf(device.health) : 9);
  devices.sort((a, b) => rank(a) - rank(b) || a.device.localeCompare(b.device, undefined, { numeric: true }));
  const made = element(
    "section",
    { className: "block", "aria-label": KINDS[kind] || kind },
    element("h2", {}, KINDS[kind] || kind),
    element("ul", { className: "grid" }, ...devices.map((device) => card(device, open, age, shop))),
  );
  made.style.setProperty("--many", Math.min(devices.length, COLUMNS_MAX));
  return made;
}

function card(device, open, age, shop) {
  const since = (shop.now() - Date.parse(device.since)) / 1000;
  const parts = [`${device.health} for ${lasting(Math.max(0, since))}`];
  if (Number.isFinite(device.heard_secs_ago)) parts.push(`heard ${lasting(device.heard_secs_ago + age)} ago`);
  if (Number.isFinite(device.clock_offset_secs) && 0.05 <= Math.abs(device.clock_offset_secs))
    parts.push(
      `clock ${lasting(Math.abs(device.clock_offset_secs))} ${device.clock_offset_secs < 0 ? "behind" : "ahead"}`,
    );
  const rate = Number.isFinite(device.rate_hertz)
    ? element(
        "p",
        { className: "rate" },
        device.expected_hertz
          ? fill(device.rate_hertz / device.expected_hertz, "", device.rate_hertz < LOW_SHARE * device.expected_hertz)
          : "",
        element(
          "span",
          {},
          `${number(device.rate_hertz, 1)}${device.expected_hertz ? ` of ${number(device.expected_hertz, 1)}` : ""} a second`,
        ),
      )
    : "";
  const certificates = Object.entries(device.certificates || {}).map(([key, until]) =>
    element(
      "p",
      { className: Date.parse(until) - shop.now() < CERTIFICATE_MS ? "low" : "faint" },
      `${key} holds until ${day(until)}`,
    ),
  );
  const counters = Object.entries(device.counters || {});
  const more = element(
    "details",
    { "data-device": device.device, open: open.has(device.device) },
    element("summary", {}, `Counters: ${counters.length}`),
    element(
      "dl",
      { className: "facts" },
      element("dt", {}, "since"),
      element("dd", {}, day(device.since)),
      ...counters.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, number(value))]),
    ),
  );
  return element(
    "li",
    { className: `device ${device.health}` },
    element("p", { className: "device-head" }, element("strong", {}, device.device), health(device.health)),
    element("p", { className: "faint" }, parts.join(" · ")),
    device.cause ? element("p", { className: "cause" }, device.cause) : "",
    device.remedy ? element("p", { className: "remedy" }, element("b", {}, "What to do: "), device.remedy) : "",
    rate,
    certificates,
    counters.length ? more : "",
  );
}
