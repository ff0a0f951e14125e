// Makes the moving picture of README from the real page: the floor of the demonstration that README tells of, from the first
// shopper to the last receipt, somewhat faster than it is.
//
//   node tests/browser/animate.mjs FILE      `.ci/browser animate FILE` sees to what is wanting; ffmpeg has to be there
//
// FILE gets the endings .webp, which moves, and .jpg, which does not, for those who asked for that.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./tools/checks.mjs";
import { Demo, folder } from "./tools/programs.mjs";
import { Tab, browse } from "./tools/tab.mjs";

const SIZE = { width: 1240, height: 660 };
const DEMO = ["--seconds", "20"];
/** Seconds of the demonstration's clock: before the first shopper, and after the last receipt. */
const [FROM, TO] = [3.2, 22.5];
/** The still picture is of this second. */
const STILL = 12.4;
const SPEED = 1.5;
const FRAMES_A_SECOND = 8;
const QUALITY = 70;

const out = process.argv[2];
if (!out) {
  console.error("say where to: animate.mjs FILE");
  process.exit(2);
}
const made = folder();
const demo = new Demo(...DEMO);
const browser = await browse();
await demo.open(90);
const opened = Date.now();
const context = await browser.newContext({ locale: "en-GB", viewport: SIZE });
const tab = await Tab.open(context);
await tab.signIn(demo.url, demo.token);
// The film begins three seconds after the shop is open.
const since = () => Date.now() - opened - 3_000;
await until(() => FROM * 1000 <= since(), 60);
const frames = [];
tab.cdp.on("Page.screencastFrame", ({ data, metadata, sessionId }) => {
  const path = join(made, `${String(frames.length).padStart(5, "0")}.png`);
  writeFileSync(path, Buffer.from(data, "base64"));
  frames.push({ path, at: metadata.timestamp });
  tab.cdp.send("Page.screencastFrameAck", { sessionId }).catch(() => {});
});
await tab.cdp.send("Page.startScreencast", { format: "png", maxWidth: SIZE.width, maxHeight: SIZE.height });
await until(() => STILL * 1000 <= since(), 60);
const still = frames.length;
await until(() => TO * 1000 <= since(), 60);
await tab.cdp.send("Page.stopScreencast");
await browser.close();
demo.kill("SIGKILL");
const list = frames
  .slice(1)
  .map(({ at }, index) => `file '${frames[index].path}'\nduration ${(at - frames[index].at).toFixed(4)}`);
writeFileSync(join(made, "list"), `ffconcat version 1.0\n${list.join("\n")}\n`);
const quiet = ["-hide_banner", "-loglevel", "error", "-y"];
const filter = `setpts=PTS/${SPEED},fps=${FRAMES_A_SECOND}`;
execFileSync("ffmpeg", [
  ...quiet,
  "-f",
  "concat",
  "-safe",
  "0",
  "-i",
  join(made, "list"),
  "-vf",
  filter,
  "-c:v",
  "libwebp_anim",
  "-quality",
  String(QUALITY),
  "-compression_level",
  "6",
  "-loop",
  "0",
  "-an",
  `${out}.webp`,
]);
execFileSync("ffmpeg", [...quiet, "-i", frames[still].path, "-q:v", "3", `${out}.jpg`]);
console.log(`${frames.length} frames from ${frames.length && (frames.at(-1).at - frames[0].at).toFixed(1)} s`);
process.exit(0);
