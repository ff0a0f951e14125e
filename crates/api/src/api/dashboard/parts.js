// Small things that several views show: how sure something is, how a device is, what a view needs, an empty view.

import { drawn, element, percent } from "./dom.js";

/** Below this a line is marked as doubtful. */
export const DOUBT_BELOW = 0.9;

/** A probability: a bar that is as long as it is sure, and the figure. */
export function chance(probability, of = "sure") {
  const bar = drawn(
    "svg",
    { viewBox: "0 0 24 6", class: "bar", "aria-hidden": "true" },
    drawn("rect", { width: 24, height: 6, rx: 3, class: "bar-all" }),
    drawn("rect", { width: Math.max(1, 24 * probability), height: 6, rx: 3, class: "bar-is" }),
  );
  return element(
    "span",
    { className: `chance${probability < DOUBT_BELOW ? " low" : ""}`, title: `${percent(probability)} ${of}` },
    bar,
    element("span", {}, percent(probability)),
    element("span", { className: "unseen" }, ` ${of}`),
  );
}

/** A dot in the colour of a visit. */
export function dot(visit) {
  const made = element("span", { className: "dot" });
  made.setAttribute("aria-hidden", "true");
  made.style.setProperty("--hue", visit.hue);
  return made;
}

const SHAPES = {
  online: "M3 8.5l3.2 3.2L13 5",
  degraded: "M8 2.5v7M8 12.2v1.3",
  frozen: "M8 2v12M3 5l10 6M13 5L3 11",
  offline: "M4 4l8 8M12 4l-8 8",
  disabled: "M3 8h10",
};

/** The word for how a device is, with a sign that tells it without colour. */
export function health(word) {
  return element(
    "span",
    { className: `health ${word}` },
    drawn(
      "svg",
      { viewBox: "0 0 16 16", "aria-hidden": "true" },
      drawn("path", { d: SHAPES[word] || SHAPES.degraded }),
    ),
    word,
  );
}

export const empty = (text) => element("p", { className: "empty" }, text);

/** What stands in a view that the token is not for, or that could not be loaded. */
export function trouble(error, roles) {
  if (error.status === 403) {
    const has = error.role ? ` This one is of the role ${error.role}.` : "";
    return element(
      "div",
      { className: "notice", role: "alert" },
      element("h2", {}, "Not for this token"),
      element("p", {}, `This view needs a token of the role ${roles.join(" or ")}.${has}`),
    );
  }
  return element(
    "div",
    { className: "notice", role: "alert" },
    element("h2", {}, "Not there"),
    element("p", {}, error.message),
  );
}

/** A heading of a view with something to its right. */
export const heading = (text, ...right) =>
  element("header", { className: "heading" }, element("h1", {}, text), ...right);

/** A button that is pressed or not. */
export function toggle(text, on, change) {
  const made = element("button", { type: "button", className: "toggle", "aria-pressed": String(on) }, text);
  made.onclick = () => {
    const now = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", String(now));
    change(now);
  };
  return made;
}

/** The colours of the page as a canvas takes them. */
export function colours(...names) {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  const found = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

export const isDark = () => getComputedStyle(document.documentElement).getPropertyValue("--dark").trim() === "1";
export const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
