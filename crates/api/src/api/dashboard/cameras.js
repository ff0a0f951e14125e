// What the cameras see: the newest picture of each that is on screen, with boxes, skeletons and names, and how old it is.
// One request a camera at a time, two pictures a second at most, a few at once over all, for a browser gives a page six.

import { ask, picture } from "./api.js";
import { element, instant, lasting, short, write } from "./dom.js";
import { empty, health, heading, toggle } from "./parts.js";

const PICTURE_MS = 500;
const AT_ONCE_MAX = 3;
/** Where nobody has looked at frames, it is asked again so often. */
const BLIND_MS = 5_000;
/** What was seen belongs to another picture beyond this. */
const APART_MS = 250;
/** Joints less sure than this are not drawn. */
const JOINT_SURE = 0.3;
const BONES = [
  [5, 7],
  [7, 9],
  [6, 8],
  [8, 10],
  [5, 6],
  [5, 11],
  [6, 12],
  [11, 12],
  [11, 13],
  [13, 15],
  [12, 14],
  [14, 16],
  [0, 5],
  [0, 6],
];

export const view = { name: "cameras", title: "Cameras", roles: ["operator", "screen"], mount };

function mount(root, { shop, go, refuse, signal }) {
  const options = { marks: true, pictures: true };
  const places = { free: AT_ONCE_MAX, waiting: [] };
  const panes = shop.floor.cameras.map((camera) => new Pane(shop, camera, options, places, go));
  const grid = element("div", { className: "cameras" }, ...panes.map((pane) => pane.root));
  root.append(
    heading(
      "Cameras",
      toggle("What was seen", true, (on) => {
        options.marks = on;
        panes.forEach((pane) => pane.draw());
      }),
    ),
    panes.length ? grid : empty("This shop has no cameras of its own: people are told of by a tracker."),
  );
  // Only what is on screen is asked for.
  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) panes.find((pane) => pane.root === entry.target).visible = entry.isIntersecting;
    },
    { rootMargin: "40px" },
  );
  for (const pane of panes) {
    watch.observe(pane.root);
    pane.begin(signal, refuse);
  }
  const ages = setInterval(() => panes.forEach((pane) => pane.age()), 250);
  shop.on("health", () => panes.forEach((pane) => pane.health()), signal);
  signal.addEventListener("abort", () => {
    clearInterval(ages);
    watch.disconnect();
    panes.forEach((pane) => pane.end());
  });
  return {};
}

class Pane {
  constructor(shop, camera, options, places, go) {
    Object.assign(this, { shop, camera, options, places, go });
    this.visible = false;
    this.blind = 0;
    this.image = element("img", { alt: `Picture of the camera ${camera.name}`, hidden: true });
    this.marks = element("canvas", { "aria-hidden": "true" });
    this.words = element("p", { className: "nothing" }, "Waiting for a picture…");
    this.old = element("span", { className: "age" });
    this.well = element("span");
    this.who = element("span", { className: "faint" });
    this.root = element(
      "figure",
      { className: "camera" },
      element("div", { className: "picture" }, this.image, this.marks, this.words),
      element("figcaption", {}, element("strong", {}, camera.name), this.well, this.who, this.old),
    );
    this.health();
  }

  async begin(signal, refuse) {
    while (!signal.aborted) {
      const from = performance.now();
      let wait = PICTURE_MS;
      if (this.visible && !document.hidden) {
        try {
          await this.turn(signal);
        } catch (error) {
          if (signal.aborted) return;
          if (error.status === 403) return refuse(error);
          this.image.hidden = true;
          this.base = NaN;
          this.seen = null;
          this.taken = NaN;
          this.draw();
          this.words.hidden = false;
          write(this.words, error.message);
          wait = 3_000;
        }
      }
      await new Promise((next) => setTimeout(next, Math.max(50, wait - (performance.now() - from))));
    }
  }

  async turn(signal) {
    await this.place();
    try {
      const path = `v1/cameras/${encodeURIComponent(this.camera.name)}`;
      const got = await this.picture(path, signal);
      const seen = this.options.marks || !got ? await this.look(path, got, signal) : null;
      if (signal.aborted) return got && URL.revokeObjectURL(got.url);
      this.seen = seen;
      if (got) await this.put(got);
      else this.bare(seen);
      this.draw();
    } finally {
      this.places.free += 1;
      const next = this.places.waiting.shift();
      if (next) next();
    }
  }

  /** What was seen; a picture is shown all the same where nobody has looked at a frame yet, as in many recordings. */
  async look(path, got, signal) {
    if (performance.now() < this.blind) return null;
    try {
      return await ask(`${path}/seen`, { signal });
    } catch (error) {
      if (!got || (error.status !== 503 && error.status !== 404)) throw error;
      this.blind = performance.now() + BLIND_MS;
      return null;
    }
  }

  /** A screen sees what was seen, and no pictures. */
  async picture(path, signal) {
    if (!this.options.pictures) return null;
    try {
      return await picture(`${path}/picture`, signal);
    } catch (error) {
      if (error.status !== 403) throw error;
      this.options.pictures = false;
      return null;
    }
  }

  bare(seen) {
    this.taken = instant(seen.at);
    this.base = this.taken + this.shop.ahead;
    this.words.hidden = 0 < seen.people.length;
    write(this.words, "Nobody is seen. Pictures are for operators.");
    this.age();
  }

  async place() {
    while (this.places.free < 1) await new Promise((next) => this.places.waiting.push(next));
    this.places.free -= 1;
  }

  async put(got) {
    const before = this.url;
    this.url = got.url;
    this.image.src = got.url;
    await this.image.decode().catch(() => {});
    if (before) URL.revokeObjectURL(before);
    this.taken = got.taken;
    // The age that the server says, and what has passed since it came.
    this.base = Number.isFinite(got.age) ? got.came - got.age * 1000 : got.came;
    this.image.hidden = false;
    this.words.hidden = true;
    this.age();
  }

  draw() {
    const seen = (this.options.marks || this.image.hidden) && this.seen;
    const [width, height] = seen ? seen.size : [16, 9];
    if (this.marks.width !== width) this.marks.width = width;
    if (this.marks.height !== height) this.marks.height = height;
    const pen = this.marks.getContext("2d");
    pen.clearRect(0, 0, width, height);
    if (!seen) return write(this.who, "");
    const apart = Math.abs(instant(seen.at) - this.taken);
    write(
      this.who,
      `${seen.people.length} seen${APART_MS < apart ? `, ${lasting(apart / 1000)} apart from the picture` : ""}`,
    );
    pen.globalAlpha = APART_MS < apart ? 0.55 : 1;
    const thick = Math.max(1.5, width / 320);
    for (const person of seen.people) this.person(pen, person, thick, width);
  }

  person(pen, person, thick, width) {
    const visit = person.visit && this.shop.visits.get(person.visit);
    const colour = visit ? `oklch(0.78 0.17 ${visit.hue})` : "oklch(0.9 0 0)";
    const [x, y, w, h] = person.box;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = thick;
    pen.beginPath();
    pen.roundRect(x, y, w, h, thick * 3);
    pen.stroke();
    const sure = (joint) => joint && JOINT_SURE <= joint[2];
    pen.lineCap = "round";
    pen.beginPath();
    for (const [a, b] of BONES) {
      const [from, to] = [person.joints[a], person.joints[b]];
      if (!sure(from) || !sure(to)) continue;
      pen.moveTo(from[0], from[1]);
      pen.lineTo(to[0], to[1]);
    }
    pen.stroke();
    for (const joint of person.joints) {
      if (!sure(joint)) continue;
      pen.beginPath();
      pen.arc(joint[0], joint[1], thick * 1.5, 0, 7);
      pen.fill();
    }
    const text = person.visit ? short(person.visit) : "?";
    const size = Math.round(width / 42);
    pen.font = `600 ${size}px system-ui, sans-serif`;
    const wide = pen.measureText(text).width + size;
    const top = Math.max(0, y - size * 1.5);
    pen.fillRect(x, top, wide, size * 1.5);
    pen.fillStyle = "#111";
    pen.textBaseline = "middle";
    pen.fillText(text, x + size / 2, top + size * 0.78);
  }

  age() {
    if (!Number.isFinite(this.base)) return write(this.old, "");
    // A recording's pictures are as old as its time says.
    const secs = this.shop.play ? Math.max(0, this.shop.now() - this.taken) / 1000 : (Date.now() - this.base) / 1000;
    write(this.old, `${lasting(secs)} old`);
    this.old.dataset.state = 5 < secs ? "stale" : 1 < secs ? "late" : "fresh";
    this.root.classList.toggle("is-old", 5 < secs);
  }

  health() {
    const device = this.shop.devices.get(`camera/${this.camera.name}`);
    if (!device || this.word === device.health) return;
    this.word = device.health;
    this.well.replaceChildren(device.health === "online" ? "" : health(device.health));
  }

  end() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.image.removeAttribute("src");
  }
}
