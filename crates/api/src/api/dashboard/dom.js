// Makes elements and writes times, money and shares for people. Whatever comes from the server is put into the page as
// text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties (or attributes, where it has no such property) and children; null children are left out. */
export function element(name, fields, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(fields || {})) {
    if (value === undefined || value === null) continue;
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** An element of SVG; fields are attributes. */
export function drawn(name, fields, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(fields || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Writes a text only where it is another one. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let locale;
let zone;
const formats = new Map();

/** Says in which language and time zone times and amounts are written: those of the shop, where it has them. */
export function speak(language, timezone) {
  formats.clear();
  try {
    locale = language ? Intl.getCanonicalLocales(language)[0] : undefined;
  } catch {
    locale = undefined;
  }
  try {
    zone = timezone ? new Intl.DateTimeFormat([], { timeZone: timezone }).resolvedOptions().timeZone : undefined;
  } catch {
    zone = undefined;
  }
}

function format(key, make) {
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key);
}

const time = (key, fields) => format(key, () => new Intl.DateTimeFormat(locale, { timeZone: zone, ...fields }));
/** A time of the day, of milliseconds or of what the server wrote. */
export const clock = (at) =>
  time("clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));
/** The same without seconds. */
export const hour = (at) => time("hour", { timeStyle: "short" }).format(new Date(at));
/** A day and a time. */
export const day = (at) => time("day", { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
/** Milliseconds since 1970 of a time that the server wrote. */
export const instant = (at) => Date.parse(at);

export const percent = (share) => `${(share * 100).toFixed(share < 0.9995 && 0.99 <= share ? 1 : 0)} %`;
export const number = (value, digits = 0) =>
  format(
    `number${digits}`,
    () => new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  ).format(value);
export const grams = (value) => `${number(value, Math.abs(value) < 10 ? 1 : 0)} g`;

/** An amount of money. */
export function money(amount) {
  if (!amount) return "no price";
  const write = format(
    `money${amount.currency}`,
    () => new Intl.NumberFormat(locale, { style: "currency", currency: amount.currency }),
  );
  return write.format(amount.minor / 10 ** amount.exponent);
}

/** A span in seconds, for people. */
export function lasting(secs) {
  if (secs < 1.95) return `${Math.max(0, secs).toFixed(1)} s`;
  if (secs < 90) return `${Math.round(secs)} s`;
  const minutes = Math.round(secs / 60);
  if (minutes < 90) return `${minutes} min`;
  if (minutes < 36 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(secs / 86400)} days`;
}

/** What a visit is called on screens: the end of its number. */
export const short = (visit) => String(visit).slice(-4);

/** Arrow keys move among the items of a container, of which one has the focus. */
export function roving(container, selector, vertical) {
  const forward = vertical ? ["ArrowDown"] : ["ArrowRight", "ArrowDown"];
  const back = vertical ? ["ArrowUp"] : ["ArrowLeft", "ArrowUp"];
  container.addEventListener("keydown", (event) => {
    const items = [...container.querySelectorAll(selector)];
    const now = items.indexOf(document.activeElement);
    if (now < 0) return;
    const next = forward.includes(event.key)
      ? now + 1
      : back.includes(event.key)
        ? now - 1
        : event.key === "Home"
          ? 0
          : event.key === "End"
            ? items.length - 1
            : null;
    if (next === null) return;
    event.preventDefault();
    items[(next + items.length) % items.length].focus();
  });
  container.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) settle(container, selector, item);
  });
}

/** One of the items can be reached by Tab, the others by arrows. */
export function settle(container, selector, item) {
  for (const other of container.querySelectorAll(selector)) other.tabIndex = other === item ? 0 : -1;
}
