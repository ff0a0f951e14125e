// Where everybody is at an instant between two updates: people are led from one place that was told to the next, never
// beyond the newest. Knows for everybody how old that is, and where they came along.

/** Behind the newest update by so much, so that there is one to lead towards; milliseconds. */
const LEAD_MS = 130;
/** Older updates are shown as they are. */
const LAG_MS_MAX = 10_000;
const TRAIL_MS = 14_000;
const TRAIL_STEP_MS = 300;
/** Who is not seen any more fades within so long. */
export const FADE_MS = 2_500;
/** Two places of somebody without a name yet are one person's within so many metres. */
const SAME_METRES = 0.7;

export class Motion {
  constructor(shop) {
    this.shop = shop;
    shop.lead = LEAD_MS;
    this.bodies = new Map();
    this.lag = 500;
    this.anonymous = 0;
    this.newest = 0;
  }

  /** A frame came. */
  update() {
    const frame = this.shop.frames.at(-1);
    if (!frame || frame.at <= this.newest) return;
    this.newest = frame.at;
    // Goes up at once and comes down slowly, so that people do not stutter.
    const lag = frame.came - frame.at + LEAD_MS;
    this.lag = this.lag < lag ? Math.min(lag, LAG_MS_MAX) : this.lag + (lag - this.lag) * 0.03;
    const taken = new Set();
    for (const person of frame.people) {
      const body = this.bodyOf(person, taken);
      taken.add(body);
      body.visit = person.visit;
      body.points.push({ at: frame.at, place: person.place, wrists: person.wrists });
      if (30 < body.points.length) body.points.shift();
      this.trail(body, frame.at, person.place);
    }
    for (const [key, body] of this.bodies) if (FADE_MS * 4 < frame.at - body.points.at(-1).at) this.bodies.delete(key);
  }

  bodyOf(person, taken) {
    const near = (body) => {
      const [x, y] = body.points.at(-1).place;
      return Math.hypot(x - person.place[0], y - person.place[1]);
    };
    if (person.visit !== null && person.visit !== undefined && this.bodies.has(person.visit))
      return this.bodies.get(person.visit);
    let best = null;
    for (const body of this.bodies.values()) {
      if (body.visit || taken.has(body) || SAME_METRES < near(body)) continue;
      if (!best || near(body) < near(best)) best = body;
    }
    if (!best) best = { key: `?${++this.anonymous}`, points: [], trail: [] };
    this.bodies.delete(best.key);
    best.key = person.visit || best.key;
    this.bodies.set(best.key, best);
    return best;
  }

  trail(body, at, place) {
    const last = body.trail.at(-1);
    if (!last || TRAIL_STEP_MS <= at - last.at) body.trail.push({ at, x: place[0], y: place[1] });
    while (body.trail.length && TRAIL_MS < at - body.trail[0].at) body.trail.shift();
  }

  /** Everybody as to be drawn now. `age` is that of what is shown, milliseconds. */
  now() {
    const now = this.shop.now();
    const play = this.shop.play;
    // A recording that stands still shows its newest, and never looks late: its time is what it says.
    const shown = play && !play.playing ? this.newest : now - this.lag;
    const all = [];
    for (const body of this.bodies.values()) {
      const points = body.points;
      let next = points.length - 1;
      while (0 < next && shown < points[next - 1].at) next -= 1;
      const [from, to] = [points[Math.max(0, next - 1)], points[next]];
      if (shown < from.at && points.length < 2) continue;
      const share = to.at === from.at ? 1 : Math.min(1, Math.max(0, (shown - from.at) / (to.at - from.at)));
      const lead = (a, b) => a + (b - a) * share;
      const missed = this.newest - points.at(-1).at;
      if (FADE_MS < missed) continue;
      all.push({
        body,
        visit: body.visit,
        x: lead(from.place[0], to.place[0]),
        y: lead(from.place[1], to.place[1]),
        wrists: (share < 0.5 ? from : to).wrists,
        trail: body.trail,
        lost: missed / FADE_MS,
        heading: heading(body.trail),
      });
    }
    return { all, shown, age: play ? 0 : now - Math.min(shown, this.newest) };
  }

  /** Those inside of whom nothing is seen now, with the place where they were last. */
  hidden() {
    const now = this.newest;
    return this.shop
      .open()
      .filter((visit) => {
        const body = this.bodies.get(visit.id);
        return visit.place && (!body || FADE_MS < now - body.points.at(-1).at);
      })
      .map((visit) => ({ visit, secs: Math.max(0, (this.shop.now() - visit.seen) / 1000) }));
  }
}

function heading(trail) {
  const to = trail.at(-1);
  for (let back = trail.length - 2; 0 <= back && trail.length - 6 < back; back -= 1) {
    const from = trail[back];
    if (0.08 < Math.hypot(to.x - from.x, to.y - from.y)) return Math.atan2(to.y - from.y, to.x - from.x);
  }
  return null;
}
