// Every view of the page: who may see it, when it is there, and what a person must be able to read in it. Another view is one
// more entry here: its name is the one in the address, and `run.mjs` takes pictures of it, lets axe look, and tries each role.
//
//   roles   who may see it; the others read that it is not for them
//   live    whether it is looked at while people are inside
//   hash    the address within the page, where it is not the name
//   ready   a selector: the view is there
//   reads   what it shows against what the API and the terminal say; gets { tab, ask, demo }

import { check, comes, same } from "./tools/checks.mjs";

const OPERATOR = ["operator"];
const SCREENS = ["operator", "screen"];
const REVIEWERS = ["operator", "reviewer"];

const digits = (text) => Number(text.replace(/[^\d-]/g, ""));

export const VIEWS = [
  { name: "floor", roles: SCREENS, live: true, ready: ".plan canvas[role=img]", reads: floor },
  { name: "story", roles: SCREENS, live: true, hash: story, ready: ".side .story", reads: told },
  { name: "cameras", roles: SCREENS, live: true, ready: ".camera img:not([hidden])", reads: cameras },
  { name: "shelves", roles: SCREENS, live: true, hash: plate, ready: ".plate[aria-pressed=true]", reads: shelves },
  { name: "review", roles: REVIEWERS, ready: ".case > *", reads: review },
  { name: "receipts", roles: [...REVIEWERS, "screen"], hash: receipt, ready: ".rows button", reads: receipts },
  { name: "money", roles: OPERATOR, ready: ".block table", reads: accounts },
  { name: "devices", roles: SCREENS, ready: ".device", reads: devices },
  { name: "today", roles: SCREENS, ready: ".tile", reads: today },
];

/** How many pixels of a canvas are drawn on. */
const drawnOn = (page, selector) =>
  page.evaluate((which) => {
    const canvas = document.querySelector(which);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at]) count += 1;
    return count;
  }, selector);

/** What is in all carts of those inside, as the page writes it. */
const cartsOf = async (tab) => (await tab.texts(".cart:not(.over) .line:not(.gone) .goods")).sort();

async function floor({ tab, demo }) {
  await comes(
    "floor: as many are inside as the terminal says",
    async () => {
      const count = await tab.texts(".pane-head .count");
      return count[0] === `${demo.inside()} inside`;
    },
    15,
    () => tab.texts(".pane-head .count"),
  );
  await comes("floor: people are drawn", async () => 100 < (await drawnOn(tab.page, ".plan canvas[role=img]")));
  await comes("floor: the plan is drawn", async () => 1_000 < (await drawnOn(tab.page, ".plan canvas")));
  const words = await tab.texts("#plan-words");
  check(
    "floor: the plan says in words who is on it",
    /^(One person is|\d+ people are) seen on the floor/.test(words[0]),
    words,
  );
  const goods = await comes(
    "floor: the carts hold what the terminal says",
    async () => {
      const [page, terminal] = [await cartsOf(tab), demo.carts()];
      return page.length && JSON.stringify(page) === JSON.stringify(terminal) && page;
    },
    30,
    async () => [await cartsOf(tab), demo.carts()],
  );
  const reasons = await tab.texts(".cart:not(.over) .line .reason");
  check(
    "floor: each line has its reason",
    goods && reasons.length && reasons.every((text) => /shelf \S+, [\d.,]+ g lighter, at /.test(text)),
    reasons,
  );
  const sure = await tab.texts(".cart:not(.over) .line .chance");
  check("floor: each line says how sure it is", sure.length && sure.every((text) => /\d %/.test(text)), sure);
  await comes(
    "floor: below the plan is told what happened",
    async () => (await tab.texts(".ticker li")).some((text) => / Took 1 × /.test(text)),
    5,
    () => tab.texts(".ticker li"),
  );
  await comes(
    "floor: what is shown is not old",
    async () => (await tab.state()).state !== "stale",
    10,
    () => tab.state(),
  );
}

async function story({ tab }) {
  await tab.go("floor");
  await tab.page.locator(".cart:has(.line) .cart-head").first().click({ timeout: 10_000 });
  return null;
}

async function told({ tab }) {
  const head = await tab.texts(".side h2");
  check("story: it is of the shopper who was chosen", /^Shopper \w{4}$/.test(head[0]), head);
  const lines = await tab.texts(".story .entry .what");
  check("story: it begins with the entry", /^Came in/.test(lines.at(-1)), lines);
  check(
    "story: it tells what was taken, and why",
    lines.some((text) => /^Took 1 × .+ Taken from shelf/.test(text)),
    lines,
  );
  check(
    "story: its button has the focus",
    await tab.page.evaluate(() => document.activeElement.textContent === "All carts"),
  );
}

async function cameras({ tab, ask }) {
  const { cameras: all } = await ask("v1/floor");
  await comes(
    "cameras: each has a picture",
    async () =>
      all.length ===
      (await tab.page.evaluate(
        () => [...document.querySelectorAll(".camera img:not([hidden])")].filter((one) => 0 < one.naturalWidth).length,
      )),
  );
  same(
    "cameras: each has its name",
    await tab.texts(".camera strong"),
    all.map((camera) => camera.name),
  );
  await comes(
    "cameras: people have boxes",
    async () => {
      const seen = await tab.texts(".camera .faint");
      return seen.some((text) => /[1-9]\d* seen/.test(text)) && 20 < (await drawnOn(tab.page, ".camera canvas"));
    },
    10,
    () => tab.texts(".camera .faint"),
  );
  const ages = await tab.texts(".camera .age");
  check(
    "cameras: each says how old it is",
    ages.every((text) => /\d.* s/.test(text)),
    ages,
  );
}

/** The plate of the first reason that stands in the last events. */
async function plate({ ask }) {
  const { shelves: all } = await ask("v1/floor");
  return `shelves/${encodeURIComponent(all[0].plates[0].plate)}`;
}

async function shelves({ tab, ask }) {
  const { shelves: all, products } = await ask("v1/floor");
  const unit = all.filter((one) => one.shelf.split("-")[0] === all[0].shelf.split("-")[0]);
  same("shelves: all plates of the unit", await tab.count(".plate"), unit.flatMap((one) => one.plates).length);
  const names = new Map(products.map((product) => [product.sku, product.name]));
  const [sku] = unit.flatMap((one) => one.plates).flatMap((one) => one.products);
  check(
    "shelves: they are named by what stands on them",
    (await tab.texts(".front")).some((text) => text.includes(names.get(sku))),
    names.get(sku),
  );
  await comes(
    "shelves: the plate's curve is drawn",
    async () => 0 < (await tab.count(".side svg path, .side svg polyline")),
    10,
  );
  await comes(
    "shelves: the last events are told",
    async () => (await tab.texts(".side .story li")).some((text) => /g/.test(text)),
    20,
  );
}

async function review({ tab, ask }) {
  const { items } = await ask("v1/cases?limit=200");
  same("review: as many wait as the API says", digits((await tab.texts(".heading .count"))[0]), items.length);
  if (items.length) check("review: the first case is open", 0 < (await tab.count(".case .decide button")));
  else
    check(
      "review: it says that nothing waits",
      (await tab.texts(".case"))[0] === "Nothing waits. Well done.",
      await tab.texts(".case"),
    );
}

async function receipt({ ask }) {
  const { items } = await ask("v1/receipts?limit=50");
  const found = items.find((one) => one.total) || items[0];
  return `receipts/${encodeURIComponent(found.cart)}`;
}

async function receipts({ tab, ask, demo }) {
  const { items } = await ask("v1/receipts?limit=50");
  await comes(
    "receipts: all of the book",
    async () => (await tab.count(".rows tbody tr")) === items.length,
    10,
    () => tab.texts(".rows tbody tr"),
  );
  const { receipts: all, right } = demo.summary();
  same("receipts: as many as the terminal says", items.length, all);
  await comes(
    "receipts: as many are right as the terminal says",
    async () => (await tab.texts(".heading .count"))[1] === `${right} of ${all} right`,
    10,
    () => tab.texts(".heading .count"),
  );
  const verdicts = await tab.texts(".rows tbody .tag.right, .rows tbody .tag.wrong");
  same("receipts: each says whether it is right", verdicts.filter((text) => /right/.test(text)).length, right);
  const open = (await receipt({ ask })).split("/")[1];
  const paper = await ask(`v1/receipts/${open}?form=json`);
  const lines = paper.receipt.lines.map((line) => `${line.quantity} × ${line.name}`);
  await comes(
    "receipts: the lines of the one that is open",
    async () => JSON.stringify(await tab.texts(".side .line .goods")) === JSON.stringify(lines),
    10,
    () => tab.texts(".side .line .goods"),
  );
  const told = demo
    .shoppers()
    .flatMap((shopper) => shopper.receipt)
    .map((text) => text.replace(" x ", " × "));
  check(
    "receipts: they are those that the terminal told",
    lines.every((line) => told.includes(line)),
    [lines, told],
  );
  await comes("receipts: how each line is known", async () =>
    (await tab.texts(".side .pane h2")).includes("How we know"),
  );
}

async function accounts({ tab, ask }) {
  const { items } = await ask("v1/ledger/balances");
  same(
    "money: all accounts",
    await tab.texts(".block table tbody th"),
    items.map((one) => one.account),
  );
  check(
    "money: no order is stuck",
    (await tab.texts("[aria-label='Stuck orders'] .tag"))[0] === "None",
    await tab.texts("[aria-label='Stuck orders']"),
  );
}

async function devices({ tab, ask }) {
  const found = await ask("v1/devices");
  const all = Array.isArray(found) ? found : found.items;
  same("devices: all of them", (await tab.texts(".device strong")).sort(), all.map((one) => one.device).sort());
  check(
    "devices: each says how it is",
    (await tab.texts(".device .health")).every((text) => /online|degraded|frozen|offline|disabled/.test(text)),
  );
  const bad = all.filter((one) => ["offline", "frozen", "degraded"].includes(one.health));
  same(
    "devices: what is not well says what to do",
    await tab.count(".device .remedy"),
    bad.filter((one) => one.remedy).length,
  );
}

async function today({ tab, ask }) {
  const heads = ["Inside now", "Visits", "Receipts", "For review", "Units sold"];
  const keys = ["shoppers_inside", "visits", "receipts", "for_review", "units"];
  await comes(
    "today: the figures are those of the API",
    async () => {
      const found = await ask("v1/today");
      const tiles = Object.fromEntries(
        await tab.page.evaluate(() =>
          [...document.querySelectorAll(".tile")].map((one) => [...one.children].map((part) => part.textContent)),
        ),
      );
      return heads.every((head, index) => digits(tiles[head]) === found[keys[index]]);
    },
    15,
    () => tab.texts(".tile"),
  );
  const { hours } = await ask("v1/today");
  same("today: each of the last hours has its column", await tab.count(".column-of"), Math.min(hours.length, 8));
  const { stages, queues } = await ask("v1/delays");
  const rows = await tab.texts("[aria-label=Delays] th");
  check(
    "today: each stage says how late it is",
    stages.every((one) => rows.includes(one.stage)),
    rows,
  );
  same(
    "today: each queue says how full it is",
    await tab.texts("[aria-label=Queues] th"),
    queues.map((one) => one.name),
  );
}
