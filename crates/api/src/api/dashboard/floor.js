// The floor of the shop as one watches it: the plan, the people on it, the shelves that felt something, and beside it the
// carts, or the story of the visit that was chosen.

import { element } from "./dom.js";
import { Carts } from "./carts.js";
import { toggle } from "./parts.js";
import { Plan } from "./stage.js";
import { Story } from "./story.js";

/** Of so many turns one is for what the plan says in words, and one for the list of what happened. */
const TURNS = 8;

export const view = { name: "floor", title: "Floor", roles: ["operator", "screen"], mount };

function mount(root, { shop, go, signal }, chosen) {
  const plan = new Plan(shop, (visit) => go("floor", visit));
  const side = element("aside", { className: "side" });
  const ticker = element("ol", { className: "ticker", "aria-label": "What happened last" });
  const toggles = element(
    "p",
    { className: "toggles" },
    toggle("What cameras see", true, (on) => {
      plan.views = on;
      plan.stale = true;
    }),
    toggle("Trails", true, (on) => {
      plan.trails = on;
    }),
    toggle("Names", true, (on) => {
      plan.names = on;
    }),
  );
  root.append(
    element(
      "div",
      { className: "floor" },
      element(
        "section",
        { className: "stage", "aria-label": "Floor plan" },
        element("h1", { className: "unseen" }, "Floor"),
        element(
          "div",
          { className: "plan-box" },
          element("div", { className: "plan" }, plan.still, plan.paths, plan.canvas, plan.words),
          toggles,
        ),
        ticker,
      ),
      side,
    ),
  );
  const carts = new Carts(shop, go);
  const story = new Story(shop, go);
  const choose = (visit) => {
    plan.chosen = visit || null;
    side.replaceChildren(visit ? story.show(visit) : carts.root);
    if (visit) story.focus();
  };
  const log = () => tick(ticker, shop);
  for (const topic of ["floor", "snapshot"])
    shop.on(
      topic,
      () => {
        plan.stale = true;
      },
      signal,
    );
  shop.on("people", () => plan.motion.update(), signal);
  shop.on("shelf", (event) => plan.glow(event), signal);
  for (const topic of ["carts", "receipt", "truth", "floor"])
    shop.on(
      topic,
      () => {
        carts.due = story.due = true;
      },
      signal,
    );
  let turn = 0;
  plan.between = () => {
    turn = (turn + 1) % TURNS;
    if (turn === 0) plan.describe();
    else if (turn === TURNS / 2) log();
    else if (plan.chosen) story.paint();
    else carts.step();
  };
  plan.begin(signal);
  choose(chosen);
  carts.paint();
  log();
  return { choose };
}

/** The newest of all stories, one line each. */
function tick(ticker, shop) {
  const from = shop.now() - 180_000;
  const entries = [];
  for (const visit of shop.visits.values()) {
    for (let at = visit.story.length - 1; 0 <= at && from < visit.story[at].at; at -= 1) {
      if (visit.story[at].kind !== "note") entries.push({ visit, ...visit.story[at] });
    }
  }
  entries.sort((a, b) => b.at - a.at);
  const key = `${Boolean(shop.floor)} ${entries
    .slice(0, 4)
    .map((entry) => `${entry.visit.id}${entry.at}${entry.kind}`)
    .join()}`;
  if (ticker.dataset.key === key) return;
  ticker.dataset.key = key;
  ticker.replaceChildren(...entries.slice(0, 4).map((entry) => Story.line(entry, entry.visit, shop)));
}
