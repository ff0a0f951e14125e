// Looks at the dashboard with a real browser. `.ci/browser run` calls it; README.md beside it says more.
//
//   node tests/browser/run.mjs [PART…]     demo, outage; all of them unless named

import { results } from "./tools/checks.mjs";
import { endAll } from "./tools/programs.mjs";

const PARTS = ["demo", "outage"];
/** No part is waited for longer, seconds. */
const PART_SECS_MAX = 240;

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !PARTS.includes(name));
if (unknown) {
  console.error(`there is no part ${unknown}: ${PARTS.join(", ")}`);
  process.exit(2);
}
let broken = false;
for (const name of wanted.length ? wanted : PARTS) {
  const begun = Date.now();
  const late = setTimeout(() => {
    console.error(`\n${name} is not over after ${PART_SECS_MAX} s`);
    process.exit(1);
  }, PART_SECS_MAX * 1000);
  try {
    await (await import(`./${name}.mjs`)).run();
  } catch (error) {
    broken = true;
    console.error(`\n${name} broke off: ${error.stack}`);
  }
  clearTimeout(late);
  endAll();
  console.log(`\n${name}: ${Math.round((Date.now() - begun) / 1000)} s`);
}
const { all, failed } = results();
console.log(`\n${all} checks, ${failed.length} failed${failed.length ? `:\n  ${failed.join("\n  ")}` : ""}`);
process.exit(failed.length || broken ? 1 : 0);
