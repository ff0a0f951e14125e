// Today in figures, and how late the shop is: people and sales, what waits in each stage and how long, how full the queues
// are. What has a course keeps it for as long as the page is open.

import { Turns, ask } from "./api.js";
import { clock, day, element, lasting, money, number } from "./dom.js";
import { columns, fill, spark } from "./charts.js";
import { heading } from "./parts.js";

const TODAY_MS = 5_000;
const DELAYS_MS = 2_000;
/** Points of a course: two minutes. */
const COURSE_MAX = 60;
/** A stage is late beyond this, as all that a screen shows is; seconds. */
const LATE_SECS = 5;
/** Hours that are shown, back from now. */
const HOURS = 8;

export const view = { name: "today", title: "Today", roles: ["operator", "screen"], floorless: true, mount };

function mount(root, { refuse, signal }) {
  const since = element("span", { className: "count" });
  const tiles = element("dl", { className: "tiles" });
  const hours = element("div");
  const late = element("div");
  const queues = element("div");
  root.append(
    heading("Today", since),
    tiles,
    element(
      "section",
      { className: "block", "aria-label": "Receipts and sales by the hour" },
      element("h2", {}, "Receipts and sales by the hour"),
      hours,
    ),
    element(
      "div",
      { className: "two" },
      element(
        "section",
        { className: "block", "aria-label": "Delays" },
        element("h2", {}, "How late each stage is"),
        late,
      ),
      element(
        "section",
        { className: "block", "aria-label": "Queues" },
        element("h2", {}, "How full the queues are"),
        queues,
      ),
    ),
  );
  const courses = new Map();
  const failed = (error) => {
    if (!signal.aborted && (error.status === 403 || !tiles.children.length)) refuse(error);
  };
  const turns = [
    new Turns(
      TODAY_MS,
      async (turn) => {
        const found = await ask("v1/today", { signal: turn });
        since.textContent = `since ${day(found.since)}`;
        tiles.replaceChildren(
          ...[
            ["Inside now", number(found.shoppers_inside)],
            ["Visits", number(found.visits)],
            ["Receipts", number(found.receipts)],
            ["For review", number(found.for_review), found.for_review ? "low" : ""],
            ["Sales", found.sales ? money(found.sales) : "none"],
            ["Units sold", number(found.units)],
          ].map(([head, value, more]) =>
            element("div", { className: `tile ${more || ""}` }, element("dt", {}, head), element("dd", {}, value)),
          ),
        );
        byHour(hours, found.hours.slice(-HOURS));
      },
      failed,
    ),
    new Turns(
      DELAYS_MS,
      async (turn) => {
        const found = await ask("v1/delays", { signal: turn });
        stages(late, found, courses);
        fillings(queues, found.queues, courses);
      },
      (error) => {
        if (error.status !== 403) late.replaceChildren(element("p", { className: "faint" }, error.message));
      },
    ),
  ];
  signal.addEventListener("abort", () => turns.forEach((one) => one.end()));
  return {};
}

function course(courses, name, value) {
  if (!courses.has(name)) courses.set(name, []);
  const values = courses.get(name);
  values.push(value);
  if (COURSE_MAX < values.length) values.shift();
  return values;
}

function stages(place, found, courses) {
  const view = { stage: "what screens show", waiting: null, delay_secs: found.view ? found.view.behind_secs : null };
  const rows = [view, ...found.stages]
    .filter((one) => one.delay_secs !== null && one.delay_secs !== undefined)
    .map((one) => {
      const values = course(courses, `stage ${one.stage}`, one.delay_secs);
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, one.stage),
        element(
          "td",
          {},
          spark(values, `Delay of ${one.stage} over the last two minutes, now ${lasting(one.delay_secs)}`, 1),
        ),
        element(
          "td",
          { className: `number${LATE_SECS < one.delay_secs && one.waiting === null ? " low" : ""}` },
          lasting(one.delay_secs),
        ),
        element("td", { className: "number faint" }, one.waiting === null ? "" : `${number(one.waiting)} wait`),
      );
    });
  place.replaceChildren(element("table", { className: "bare" }, element("tbody", {}, ...rows)));
}

function fillings(place, queues, courses) {
  place.replaceChildren(
    element(
      "table",
      { className: "bare" },
      element(
        "tbody",
        {},
        ...queues.map((queue) => {
          const share = queue.holds_max ? queue.holds / queue.holds_max : 0;
          course(courses, `queue ${queue.name}`, share);
          return element(
            "tr",
            {},
            element("th", { scope: "row" }, queue.name),
            element("td", {}, fill(share, `${queue.name}: ${number(queue.holds)} of ${number(queue.holds_max)}`)),
            element("td", { className: "number" }, number(queue.holds)),
            element("td", { className: "number faint" }, `of ${number(queue.holds_max)}`),
          );
        }),
      ),
    ),
  );
}

/** Receipts and sales of each hour of today. */
function byHour(place, hours) {
  const names = hours.map((hour) => clock(hour.since).replace(/:00(?=\D|$)/g, ""));
  const counts = hours.map((hour) => hour.receipts);
  const told = hours.map((hour, at) => `${names[at]}: ${hour.receipts} receipts, ${hour.sales ? money(hour.sales) : "no sum"}`);
  const sold = hours.map((hour) => (hour.receipts ? (hour.sales ? money(hour.sales) : "no sum") : ""));
  place.replaceChildren(columns(counts, names, told.join("; "), sold));
}
