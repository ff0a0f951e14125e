// What a run found out: every check by its name, and what was wrong. Nothing here waits for longer than it was told.

const found = [];

/** Notes whether something holds, with what was there where it does not. */
export function check(name, holds, was) {
  found.push({ name, holds: Boolean(holds) });
  const more = holds || was === undefined ? "" : `: ${typeof was === "string" ? was : JSON.stringify(was)}`;
  console.log(`${holds ? "  ok  " : "FAILED"} ${name}${more.slice(0, 1_500)}`);
  return Boolean(holds);
}

/** Notes whether two things are the same, written as JSON. */
export function same(name, is, should) {
  const [one, other] = [JSON.stringify(is), JSON.stringify(should)];
  return check(name, one === other, `is ${one}, should be ${other}`);
}

export const pause = (ms) => new Promise((next) => setTimeout(next, ms));

/** Asks again and again until the answer is something; undefined when it took too long. */
export async function until(ask, secs = 10) {
  const end = Date.now() + secs * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (end < Date.now()) return undefined;
    await pause(100);
  }
}

/** Notes whether something comes to hold within some seconds; `was` says what is there instead. */
export async function comes(name, ask, secs = 10, was = () => undefined) {
  const answer = await until(ask, secs);
  check(name, answer, answer ? undefined : await was());
  return answer;
}

/** A headline. */
export const part = (name) => console.log(`\n--- ${name}`);

/** How many checks there were, and which did not hold. */
export const results = () => ({ all: found.length, failed: found.filter((one) => !one.holds).map((one) => one.name) });
