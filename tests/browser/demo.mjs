// The demonstration, looked at from its first shopper to the last receipt: what stands on the page is what the API and the
// terminal say, in every view, in light, dark and on a phone; keyboard, reduced motion, roles, many tabs.

import { check, comes, part, pause, same, until } from "./tools/checks.mjs";
import { Demo, ask } from "./tools/programs.mjs";
import { MODES, Tab, browse } from "./tools/tab.mjs";
import { VIEWS } from "./views.mjs";

/** Three shoppers who are inside at once, and take, put back and leave: people for fifty seconds. */
const DEMO = ["--seed", "2", "--seconds", "60"];
/** Page and all that it loads, bytes. */
const WEIGHT_MAX = 300_000;
/** Tabs of one browser. */
const TABS = 6;

export async function run() {
  const demo = new Demo(...DEMO);
  const browser = await browse();
  try {
    await demo.open(90);
    const context = await browser.newContext({ locale: "en-GB" });
    const tab = await Tab.open(context, { name: "operator" });
    const asked = { tab, demo, ask: (path) => ask(demo.url, demo.token, path) };
    await door(tab, demo);
    await live(asked);
    await moving(tab);
    part("the last shopper leaves");
    await comes(
      "the terminal sums up",
      () => demo.summary(),
      90,
      () => demo.lines.slice(-5),
    );
    await settled(asked);
    await keyboard(tab);
    tab.quiet("to the end");
    await context.close();
    await shopper(browser, demo);
    await roles(browser, demo);
    await tabs(browser, demo);
    await away(browser, demo);
  } finally {
    await browser.close();
    demo.kill("SIGINT");
    if ((await until(() => demo.code !== undefined, 20)) === undefined) demo.kill("SIGKILL");
  }
  same("the demonstration ends as it should when it is asked to", demo.code, 0);
}

/** The page before somebody is let in. */
async function door(tab, demo) {
  part("the door");
  await tab.page.goto(demo.url);
  const weight = await tab.page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .concat(performance.getEntriesByType("navigation"))
      .reduce((sum, one) => sum + one.decodedBodySize, 0),
  );
  check(`the page weighs ${Math.round(weight / 1000)} kB, less than ${WEIGHT_MAX / 1000}`, weight < WEIGHT_MAX);
  const elsewhere = await tab.page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map((one) => one.name)
      .filter((name) => !name.startsWith(location.origin)),
  );
  same("nothing comes from elsewhere", elsewhere, []);
  await tab.prove("door", "light");
  const before = [...tab.expected];
  tab.expected.push([401, /\/v1\/(live|floor|me)$/]);
  await tab.page.fill("#token", "aisle_nobody");
  await tab.page.click("#door button");
  await comes(
    "a wrong token is told so",
    async () => /nobody has this token/.test((await tab.texts("#wrong"))[0]),
    10,
    () => tab.texts("#wrong"),
  );
  tab.quiet("at the door");
  tab.expected = before;
  await tab.signIn(demo.url, demo.token);
  same("the token is not in the address", await tab.page.evaluate(() => location.href.includes("aisle_")), false);
}

/** Goes to a view and waits until it is there. */
async function enter(view, asked) {
  const hash = view.hash ? await view.hash(asked) : view.name;
  if (hash) await asked.tab.go(hash);
  return comes(
    `${view.name}: it is there`,
    () => asked.tab.count(view.ready),
    15,
    () => asked.tab.texts("#view"),
  );
}

/** While people are inside. */
async function live(asked) {
  part("people are inside");
  await comes(
    "somebody has taken something",
    () => asked.demo.carts().length,
    60,
    () => asked.demo.lines.slice(-5),
  );
  for (const view of VIEWS.filter((one) => one.live)) {
    if (!(await enter(view, asked))) continue;
    await view.reads(asked);
    await pictures(view, asked.tab);
  }
  // By now the lane for screens was set right many times.
  await asked.tab.go("floor");
  await comes(
    "several lines are in carts",
    async () => 2 <= (await asked.tab.count(".cart:not(.over) .line .goods")),
    20,
  );
  const reasons = await asked.tab.texts(".cart:not(.over) .line:not(.gone) .reason");
  const isTake = (text) => /Taken from shelf \S+, [\d.,]+ g lighter, at /.test(text);
  check("the reason of every line is that something was taken", reasons.length && reasons.every(isTake), reasons);
  asked.tab.quiet("while people are inside");
}

/** With the day over. */
async function settled(asked) {
  for (const view of VIEWS.filter((one) => !one.live)) {
    part(view.name);
    if (!(await enter(view, asked))) continue;
    await view.reads(asked);
    await pictures(view, asked.tab);
  }
}

async function pictures(view, tab) {
  for (const mode of Object.keys(MODES)) {
    await tab.look(mode);
    // What comes in turns, as pictures do, is given a turn; names of plates fall into place.
    await pause(300);
    await tab.prove(view.name, mode);
  }
  await tab.look("light");
}

/** Nothing moves by itself for those who asked for that. */
async function moving(tab) {
  part("reduced motion");
  await tab.page.emulateMedia({ reducedMotion: "reduce" });
  await tab.go("floor");
  await tab.page.reload();
  await comes("the floor is there again", () => tab.count(".plan canvas[role=img]"));
  await pause(1_500);
  const running = await tab.page.evaluate(
    () => document.getAnimations().filter((one) => one.playState === "running").length,
  );
  same("no animation runs", running, 0);
  const trails = await tab.page.evaluate(() => {
    const canvas = document.querySelectorAll(".plan canvas")[1];
    return canvas
      .getContext("2d")
      .getImageData(0, 0, canvas.width, canvas.height)
      .data.some((value) => value !== 0);
  });
  same("no trails are drawn", trails, false);
  await tab.page.emulateMedia({ reducedMotion: "no-preference" });
}

/** Where the focus is, and whether that can be seen. */
const focus = (tab) =>
  tab.page.evaluate(() => {
    const now = document.activeElement;
    if (!now || now === document.body) return null;
    const style = getComputedStyle(now);
    const box = now.getBoundingClientRect();
    const words = (now.getAttribute("aria-label") || now.textContent || now.id || now.tagName)
      .replace(/\s+/g, " ")
      .trim();
    return {
      id: now.id,
      name: `${now.tagName.toLowerCase()} ${words.slice(0, 40)}`,
      seen: style.outlineStyle !== "none" && 0 < parseFloat(style.outlineWidth) && 0 < box.width && 0 < box.height,
      shown: box.top < innerHeight && 0 < box.bottom && box.left < innerWidth && 0 < box.right,
    };
  });

async function keyboard(tab) {
  part("keyboard");
  for (const view of VIEWS.filter((one) => !one.hash)) {
    await tab.go(view.name);
    await comes(`${view.name}: it is there for the keyboard`, () =>
      tab.count(view.ready === ".camera img:not([hidden])" ? ".camera" : view.ready),
    );
    // Begins in front of everything.
    await tab.page.evaluate(() => {
      document.activeElement.blur();
      getSelection().removeAllRanges();
      getSelection().setPosition(document.body, 0);
    });
    const been = [];
    let back = false;
    for (let turn = 0; turn < 120 && !back; turn += 1) {
      await tab.page.keyboard.press("Tab");
      const now = await focus(tab);
      back = !now || (0 < been.length && now.id === "skip");
      if (!back) been.push(now);
    }
    check(`${view.name}: Tab comes round, there is no trap`, back, been.slice(-5));
    const unseen = been.filter((one) => !one.seen || !one.shown).map((one) => one.name);
    check(`${view.name}: the focus is seen at all ${been.length} places`, !unseen.length && 2 < been.length, unseen);
    // Whatever can be worked is among them, or is reached by arrows from one that is.
    const missed = await tab.page.evaluate(() => {
      const all = document.querySelectorAll("a[href], button, input, textarea, select, summary, [tabindex='0']");
      const is = (one) =>
        one.checkVisibility() &&
        !one.disabled &&
        one.tabIndex < 0 &&
        !one.parentElement.closest(":is(nav, ul, tbody, div):has([tabindex='0'])");
      return [...all].filter(is).map((one) => one.outerHTML.slice(0, 120));
    });
    same(`${view.name}: nothing is out of its reach`, missed, []);
  }
  await tab.go("floor");
  await tab.page.locator("#views a[aria-current]").focus();
  const names = [];
  for (let turn = 0; turn < (await tab.count("#views a")); turn += 1) {
    names.push(await tab.page.evaluate(() => document.activeElement.textContent));
    await tab.page.keyboard.press("ArrowRight");
  }
  same("arrows go through all views", names, await tab.texts("#views a"));
  await tab.page.keyboard.press("ArrowRight");
  await tab.page.keyboard.press("Enter");
  await comes("Enter opens a view", () => tab.page.evaluate(() => location.hash === "#/cameras"));
}

/** Everybody sees what their token is for, and reads that the rest is not for them. */
/** The shopper's page, by the link that the gate gave: the receipt once they have left, in both languages. */
async function shopper(browser, demo) {
  part("the shopper's page");
  const link = demo.lines.map((line) => /http:\S+\/visit#\S+/.exec(line)).find(Boolean);
  if (!check("the terminal has the link of the first shopper's page", link)) return;
  const context = await browser.newContext({ locale: "en-GB" });
  const tab = await Tab.open(context, { name: "shopper" });
  await tab.look("phone");
  await tab.page.goto(link[0]);
  const said = () => tab.texts("#view");
  await comes("the receipt is there", async () => /receipt/i.test((await said())[0]), 20, said);
  check("with a sum", /\d[.,]\d\d/.test((await said())[0]), await said());
  for (const mode of Object.keys(MODES)) {
    await tab.look(mode);
    await tab.prove("visit", mode);
  }
  await tab.page.click("#language");
  await comes("it is told in Chinese too", async () => /小票/.test((await said())[0]), 10, said);
  await tab.look("phone");
  await tab.prove("visit-chinese", "phone");
  tab.quiet("from the link to the receipt");
  await context.close();
}

async function roles(browser, demo) {
  part("roles");
  for (const role of ["screen", "reviewer"]) {
    const body = { role, holder: `a ${role}` };
    const { secret, token } = await ask(demo.url, demo.token, "v1/tokens", { method: "POST", body });
    const context = await browser.newContext({ locale: "en-GB" });
    // It asks for what the page shows, and hears that this is not for it.
    const tab = await Tab.open(context, {
      name: role,
      expected: [[403, /\/v1\//]],
    });
    await tab.signIn(demo.url, typeof secret === "string" ? secret : token);
    for (const view of VIEWS.filter((one) => one.name !== "story")) {
      await tab.go(view.name);
      const may = view.roles.includes(role);
      const said = () => tab.texts("#view");
      if (may) {
        const ready = view.name === "cameras" ? ".camera" : view.name === "shelves" ? ".plate" : view.ready;
        await comes(
          `a ${role} sees ${view.name}`,
          async () => (await tab.count(ready)) && !/Not for this token/.test((await said())[0]),
          10,
          said,
        );
      } else
        await comes(
          `${view.name} is not for a ${role}`,
          async () => /Not for this token/.test((await said())[0]),
          10,
          said,
        );
    }
    if (role === "screen")
      await tab.page.screenshot({ path: `${process.env.AISLE_PICTURES || "target/browser"}/screen.png` });
    await tab.page.click("#leave");
    same(`a ${role} who signs out leaves nothing behind`, await tab.page.evaluate(() => sessionStorage.length), 0);
    tab.quiet("from the door to the door");
    await context.close();
  }
}

/** Tabs of one browser share its six connections to a server. */
async function tabs(browser, demo) {
  part(`${TABS} tabs at once`);
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 900, height: 700 } });
  const all = [];
  for (let number = 1; number <= TABS; number += 1) {
    const tab = await Tab.open(context, { name: `tab ${number}` });
    await tab.signIn(demo.url, demo.token);
    all.push(tab);
  }
  const isLive = async (tab) => /^live|behind$/.test((await tab.state()).age);
  const told = async () => Promise.all(all.map((tab) => tab.state()));
  await comes(
    "each is live or says that it pauses for the others",
    async () => (await told()).every(({ age }) => /^live|behind$|^paused: other tabs watch$/.test(age)),
    20,
    told,
  );
  await comes("some are live", async () => 2 <= (await Promise.all(all.map(isLive))).filter(Boolean).length, 10, told);
  for (const tab of all) {
    await tab.page.bringToFront();
    await tab.page.mouse.click(450, 690);
    await comes(
      `${tab.name} is live once somebody looks at it`,
      () => isLive(tab),
      10,
      () => tab.state(),
    );
    await tab.go("today");
    await comes(
      `${tab.name} is not starved`,
      () => tab.count(".tile"),
      10,
      () => tab.texts("#view"),
    );
  }
  for (const tab of all) tab.quiet("beside the others");
  await context.close();
}

/** A tab that slept, and one whose network went away. */
async function away(browser, demo) {
  part("away and back");
  const context = await browser.newContext({ locale: "en-GB" });
  const tab = await Tab.open(context, { name: "sleeper", expected: [[0, /./]] });
  await tab.signIn(demo.url, demo.token);
  const live = async () => /^live|behind$/.test((await tab.state()).age);
  await comes("it is live", live, 15, () => tab.state());
  await tab.cdp.send("Page.setWebLifecycleState", { state: "frozen" });
  await pause(8_000);
  await tab.cdp.send("Page.setWebLifecycleState", { state: "active" });
  await comes("after a sleep it is live again by itself", live, 15, () => tab.state());
  demo.kill("SIGSTOP");
  await comes(
    "a server that says nothing is missed",
    async () => (await tab.state()).state === "stale",
    40,
    () => tab.state(),
  );
  const silent = await tab.state();
  check("the page says so", silent.banner !== null && /^Not live: /.test(silent.banner), silent);
  demo.kill("SIGCONT");
  await comes("it is live again once the server speaks", live, 30, () => tab.state());
  same("the banner is gone", (await tab.state()).banner, null);
  tab.quiet("away and back");
  await context.close();
}
