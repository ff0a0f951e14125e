// A shop whose server is killed while people are inside, and started again at the same address: the page says that it is not
// live and how old what it shows is, and recovers by itself.

import { check, comes, part, same } from "./tools/checks.mjs";
import { Shop, ask, film, folder } from "./tools/programs.mjs";
import { Tab, browse } from "./tools/tab.mjs";
import { join } from "node:path";

/** How long the film is: people are inside from its first seconds on. */
const FILM = ["--shop", "micro-market", "--cut", "tracked", "--scenario", "open", "--seconds", "90", "--seed", "2"];

export async function run() {
  const mosquitto = process.env.AISLE_TEST_MQTT;
  if (!mosquitto) throw new Error("AISLE_TEST_MQTT names no broker: `.ci/mosquitto program` prints it");
  part("the server is killed");
  const path = join(folder(), "film.mcap");
  await film(path, ...FILM);
  const shop = new Shop(path, mosquitto);
  const browser = await browse();
  try {
    await shop.open();
    const context = await browser.newContext({ locale: "en-GB" });
    const tab = await Tab.open(context, { name: "watcher" });
    await tab.signIn(shop.url, shop.token);
    const goods = () => tab.texts(".cart:not(.over) .line .goods");
    const [taken] = await comes(
      "somebody inside has taken something",
      async () => {
        const all = await goods();
        return all.length && all;
      },
      40,
      () => tab.texts("#view"),
    );
    await comes(
      "what is shown is live",
      async () => /behind$/.test((await tab.state()).age),
      10,
      () => tab.state(),
    );
    tab.quiet("before");
    tab.expected.push([0, /./]);
    shop.server.kill("SIGKILL");
    await shop.server.ended;
    const stale = await comes(
      "the page says that it is not live",
      async () => {
        const now = await tab.state();
        return now.state === "stale" && now;
      },
      15,
      () => tab.state(),
    );
    check(
      "it says why, and how old what it shows is",
      stale && /^Not live: .+ What you see is .+ old\./.test(stale.banner),
      stale,
    );
    await comes(
      "it says when it tries again",
      async () => /Next try in \d+ s\.$/.test((await tab.state()).banner),
      10,
      () => tab.state(),
    );
    await tab.page.screenshot({ path: `${process.env.AISLE_PICTURES || "target/browser"}/stale.png` });
    check("nothing is taken off the page for that", (await goods()).includes(taken), await goods());
    await shop.serve();
    await comes(
      "it is live again by itself",
      async () => {
        const now = await tab.state();
        return now.banner === null && /behind$|^live/.test(now.age);
      },
      40,
      () => tab.state(),
    );
    await comes(
      "the carts are those of the server",
      async () => {
        const { shoppers_inside: inside } = await ask(shop.url, shop.token, "v1/today");
        return (await tab.texts(".pane-head .count"))[0] === `${inside} inside`;
      },
      20,
      () => tab.texts(".pane-head .count"),
    );
    await comes("nothing that was taken is forgotten", async () => (await goods()).includes(taken), 20, goods);
    same("nobody had to sign in again", await tab.page.isVisible("#door"), false);
    tab.quiet("through the outage");
  } finally {
    await browser.close();
    await shop.close();
  }
}
