// Small charts as SVG: a line over time, a staircase over it, bars. Each has its words for those who do not see it.

import { drawn, element, number } from "./dom.js";

const WIDTH = 600;

/** The nearest round numbers below and above, so that a line does not touch the edge. */
function span(values) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((high - low) * 0.15, Math.abs(high) * 0.02, 1);
  return [low - room, high + room];
}

function steps(low, high, count) {
  const raw = (high - low) / count;
  const base = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * base).find((each) => raw <= each);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return found;
}

/** What a plate felt over the last two minutes: samples in grams, and what the engine took for rest. */
export function curve({ samples, levels, seconds }) {
  const [left, top, height] = [58, 10, 220];
  const bottom = height - 24;
  const values = [...samples.map(([, value]) => value), ...levels.map((level) => level.grams)];
  if (!values.length) return element("p", { className: "empty" }, "Nothing was measured in the last two minutes.");
  const [low, high] = span(values);
  const x = (ago) => left + (WIDTH - left - 8) * (1 - Math.min(seconds, Math.abs(ago)) / seconds);
  const y = (value) => bottom - (bottom - top) * ((value - low) / (high - low));
  const parts = [];
  for (const value of steps(low, high, 4)) {
    parts.push(
      drawn("line", { x1: left, x2: WIDTH - 8, y1: y(value), y2: y(value), class: "grid" }),
      caption(left - 6, y(value), number(value), "end"),
    );
  }
  for (let ago = 0; ago <= seconds; ago += 30)
    parts.push(caption(x(ago), height - 8, ago ? `−${ago} s` : "now", ago ? "middle" : "end"));
  const path = samples
    .map(([ago, value], index) => `${index ? "L" : "M"}${x(ago).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
  parts.push(drawn("path", { d: path, class: "measured" }));
  for (const level of levels) {
    const [from, until] = [
      Math.abs(level.from),
      level.until === null || level.until === undefined ? 0 : Math.abs(level.until),
    ];
    parts.push(drawn("line", { x1: x(from), x2: x(until), y1: y(level.grams), y2: y(level.grams), class: "level" }));
  }
  const told = levels
    .map((level) => `${number(level.grams)} grams from ${number(Math.abs(level.from))} seconds ago`)
    .join(", then ");
  return drawn(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${height}`,
      class: "chart",
      role: "img",
      "aria-label": `Weight over the last ${seconds} seconds. At rest: ${told || "never"}.`,
    },
    ...parts,
  );
}

function caption(x, y, text, anchor) {
  const made = drawn("text", { x, y: y + 4, "text-anchor": anchor, class: "caption" });
  made.textContent = text;
  return made;
}

/** A line without axes, from the oldest to the newest value; from zero up. */
export function spark(values, words, ceiling) {
  const [width, height] = [120, 28];
  if (values.length === 1) values = [values[0], values[0]];
  const high = Math.max(ceiling || 0, ...values, 1e-9);
  const x = (index) => (index / (values.length - 1)) * width;
  const y = (value) => height - 2 - (height - 4) * Math.min(1, value / high);
  const line = values
    .map((value, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
  return drawn(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      class: "spark",
      role: "img",
      "aria-label": words,
      preserveAspectRatio: "none",
    },
    drawn("path", { d: `${line}L${width} ${height}L0 ${height}Z`, class: "area" }),
    drawn("path", { d: line, class: "measured" }),
  );
}

/** How full something is, from 0 to 1; without words where the figure stands beside it. */
export function fill(share, words, low = 0.8 <= share) {
  const is = element("span");
  is.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  const bar = element("span", { className: `fill${low ? " low" : ""}` }, is);
  if (!words) bar.setAttribute("aria-hidden", "true");
  else {
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", words);
  }
  return bar;
}

/** Upright bars, such as of the hours of a day; each has its figure above, and its name and what else is to be said below. */
export function columns(values, names, words, more) {
  const high = Math.max(...values, 1);
  const made = element("div", { className: "columns", role: "img", "aria-label": words });
  made.append(
    ...values.map((value, index) => {
      const bar = element("span", { className: "column" });
      bar.style.height = `${100 * (value / high)}%`;
      return element(
        "span",
        { className: "column-of" },
        element("span", { className: "column-space" }, element("b", {}, value ? number(value) : ""), bar),
        element("span", { className: "faint" }, names[index]),
        // Nothing takes a line as well, so that all stand on one ground.
        element("span", { className: "faint" }, more[index] || "\u00a0"),
      );
    }),
  );
  return made;
}
