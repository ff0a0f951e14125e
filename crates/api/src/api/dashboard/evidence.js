// How it is known what somebody took: a card for each movement with where, when, weight and hands, what is least sure
// first; and the concerns of a case in words.

import { clock, element, money, number, percent, short } from "./dom.js";

/** Whoever was surely not there only takes up room. */
const SHARE_SHOWN_MIN = 0.001;

const CONCERNS = {
  doubt: (c) => `only ${percent(c.probability)} sure, the bar is ${percent(c.bar)}`,
  no_price: (c, name) => `${name(c.sku)} has no price`,
  interrupted: (c) => `interrupted: ${c.detail}`,
  no_payer: () => "nobody is known to pay",
  tailgated: ({ behind }) => `came in behind ${behind} without a scan`,
  contested: (c, name) => `contested${c.skus.length ? `: ${c.skus.map(name).join(", ")}` : ""}`,
  disputed: (c) => `disputed at the bank: ${money(c.amount)}`,
  recomputed: () => "the visit came out differently later",
  unpaid: (c) => `not paid: ${c.code}`,
};

/** Why a person has to look. */
export const concern = (c, name = (sku) => sku) => (CONCERNS[c.concern] || ((other) => other.concern))(c, name);

export function evidence(moves, receipt, nameOf) {
  if (!moves || !moves.length)
    return element(
      "p",
      { className: "faint" },
      "Nothing is kept about it: its time is over, or a person wrote the lines.",
    );
  const lines = new Map((receipt ? receipt.lines : []).map((line) => [line.sku, line]));
  const doubt = (move) => (lines.get(move.sku) || { probability: 0 }).probability;
  const name = (sku) => (lines.has(sku) ? lines.get(sku).name : nameOf(sku));
  const sorted = [...moves].sort(
    (a, b) => doubt(a) - doubt(b) || Date.parse(a.evidence.span.start) - Date.parse(b.evidence.span.start),
  );
  return element("div", { className: "moves" }, ...sorted.map((move) => card(move, receipt && receipt.visit, name)));
}

function card(move, visit, name) {
  const known = move.evidence;
  const weight = known.weight;
  const off = Math.abs(weight.measured - weight.expected) > 3 * Math.max(weight.sigma, 1);
  const near = known.takers.filter((taker) => taker.visit === visit || SHARE_SHOWN_MIN <= taker.share);
  const hands = near.map((taker) => {
    const meter = element("meter", { min: 0, max: 1, value: taker.share });
    const who = taker.visit === visit ? "this shopper" : `shopper ${short(taker.visit)}`;
    meter.setAttribute("aria-label", `Share of ${who}`);
    return element(
      "div",
      {},
      `${who}: `,
      meter,
      ` ${percent(taker.share)}, `,
      taker.wrist_metres === null || taker.wrist_metres === undefined
        ? "wrist hidden"
        : `wrist at ${number(taker.wrist_metres * 100)} cm`,
    );
  });
  const notes = [
    known.misplaced ? "off its planned place" : null,
    weight.learned ? "weight learned from the plates" : null,
  ].filter(Boolean);
  const entry = (head, ...value) => [element("dt", {}, head), element("dd", {}, ...value)];
  return element(
    "section",
    { className: "move" },
    element(
      "p",
      {},
      element("strong", {}, `${move.movement === "take" ? "Took" : "Put back"} ${move.quantity} × ${name(move.sku)}`),
    ),
    element(
      "dl",
      {},
      ...entry("When", `${clock(known.span.start)} to ${clock(known.span.end)}`),
      ...entry(
        "Where",
        `shelf ${known.shelf}, ${known.plates.length === 1 ? "plate" : "plates"} ${known.plates.join(", ")}`,
      ),
      ...entry(
        "Weight",
        element(
          "span",
          { className: off ? "low" : "" },
          `${number(weight.measured, 1)} g ± ${number(weight.sigma, 1)}`,
        ),
        `, expected ${number(weight.expected, 1)} g`,
      ),
      ...entry("Hands", ...(hands.length ? hands : ["nobody was seen"])),
      ...(notes.length ? entry("Note", notes.join("; ")) : []),
    ),
  );
}
