// A tab of a real browser that is watched: whatever it complains of, every request that fails, and what assistive technology
// would trip over. Pictures of it go into one folder.

import { readFileSync, existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check } from "./checks.mjs";

/** Where pictures go. */
export const PICTURES = process.env.AISLE_PICTURES || "target/browser";
/** How the page is looked at. */
export const MODES = {
  light: { width: 1360, height: 850, scheme: "light" },
  dark: { width: 1360, height: 850, scheme: "dark" },
  phone: { width: 390, height: 844, scheme: "light" },
};
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Debian's chromium, without a window. */
export async function browse(fields = {}) {
  const names = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
  const executablePath = process.env.CHROMIUM || names.find((name) => existsSync(name));
  if (!executablePath) throw new Error("there is no chromium: `.ci/browser install`");
  const args = [
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
  ];
  // Its sandbox does not work for root.
  if (process.getuid() === 0) args.push("--no-sandbox");
  mkdirSync(PICTURES, { recursive: true });
  return chromium.launch({ executablePath, headless: true, args, ...fields });
}

/** Where files of the page lie that stand in for those in the program, for whoever works on them. */
const PAGE = process.env.AISLE_DASHBOARD;

/** Gives the page its files from a folder; all else of the answers stays. */
async function standIn(page) {
  await page.route(/\/(assets\/[\w.]+)?$/, async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").pop() || "index.html";
    if (!existsSync(join(PAGE, name))) return route.continue();
    const response = await route.fetch();
    return route.fulfill({ response, body: readFileSync(join(PAGE, name)) });
  });
}

export class Tab {
  /** Opens a tab; `expected` are answers of 400 and more that are no fault: `[status, pattern of the path]`. */
  static async open(context, { name = "tab", expected = [] } = {}) {
    const tab = new Tab();
    Object.assign(tab, { name, expected, faults: [], page: await context.newPage() });
    tab.cdp = await context.newCDPSession(tab.page);
    tab.watch();
    if (PAGE) await standIn(tab.page);
    return tab;
  }

  watch() {
    const { page, faults } = this;
    const isExpected = (status, url) => this.expected.some(([code, path]) => code === status && path.test(url));
    page.on("pageerror", (error) => faults.push(`error: ${error.stack || error}`));
    page.on("response", (answer) => {
      if (400 <= answer.status() && !isExpected(answer.status(), answer.url()))
        faults.push(`${answer.status()} ${answer.url()}`);
    });
    page.on("requestfailed", (request) => {
      const why = request.failure() ? request.failure().errorText : "";
      // What a view asked for when it was left is given up.
      if (why !== "net::ERR_ABORTED" && !isExpected(0, request.url())) faults.push(`${why} ${request.url()}`);
    });
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const { url } = message.location();
      const [, status] = /status of (\d+)/.exec(message.text()) || [];
      const failed = status || (/net::ERR_/.test(message.text()) ? "0" : null);
      if (failed !== null && isExpected(Number(failed), url)) return;
      faults.push(`console: ${message.text()} (${url})`);
    });
  }

  /** Says whether it had nothing to complain of since it was asked last. */
  quiet(when) {
    const faults = this.faults.splice(0);
    return check(
      `${this.name}, ${when}: no error, no warning, no request that fails`,
      !faults.length,
      faults.join("; "),
    );
  }

  async signIn(url, token) {
    await this.page.goto(url);
    await this.page.fill("#token", token);
    await this.page.click("#door button");
  }

  /** Goes to an address within the page. */
  async go(hash) {
    await this.page.evaluate((to) => {
      location.hash = to;
    }, `#/${hash}`);
  }

  async look(mode) {
    const { width, height, scheme } = MODES[mode];
    await this.page.setViewportSize({ width, height });
    await this.page.emulateMedia({ colorScheme: scheme });
    await this.page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));
  }

  /** What the page says of itself: how old it is, what stands in the banner, what is said aloud. */
  state() {
    return this.page.evaluate(() => {
      const banner = document.getElementById("stale");
      return {
        age: document.getElementById("age").textContent,
        state: document.getElementById("age").dataset.state,
        banner: banner.hidden ? null : document.getElementById("stale-words").textContent,
      };
    });
  }

  texts(selector) {
    return this.page
      .locator(selector)
      .allInnerTexts()
      .then((all) => all.map((text) => text.replace(/\s+/g, " ").trim()));
  }

  count(selector) {
    return this.page.locator(selector).count();
  }

  /** A picture of what is seen, and whether it fits and everybody can use it. */
  async prove(view, mode) {
    await this.page.screenshot({ path: join(PICTURES, `${view}-${mode}.png`) });
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(`${view}, ${mode}: nothing is wider than the window`, wide <= 0, `${wide} pixels`);
    const found = await this.axe();
    check(`${view}, ${mode}: names, contrast and structure by axe`, !found.length, found.join("\n       "));
  }

  /** What axe objects to. It comes in by the debugger, so that the page's policy stays as it is. */
  async axe() {
    const run = `${AXE};axe.run(document, { runOnly: ${JSON.stringify(RULES)}, resultTypes: ["violations"] })
      .then(({ violations }) => violations.flatMap(({ id, impact, nodes }) => nodes.map((node) =>
        impact + " " + id + ": " + node.html.slice(0, 160) + " " + (node.failureSummary || "").replace(/\\s+/g, " ").slice(0, 240))))`;
    const answer = await this.cdp.send("Runtime.evaluate", {
      expression: run,
      awaitPromise: true,
      returnByValue: true,
    });
    if (answer.exceptionDetails) return [`axe did not run: ${answer.exceptionDetails.exception.description}`];
    return answer.result.value;
  }
}
