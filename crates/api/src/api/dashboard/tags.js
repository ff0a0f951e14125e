// Small labels on the plan, each on a ground of its own. Each is drawn once and kept as a picture; where one stands already
// the next is moved out of its way.

import { label } from "./plan.js";

/** A label is so high, with the air around it. */
const HIGH = 17;
const FONT = "600 11px system-ui, sans-serif";
const KEPT_MAX = 300;
const TRIES_MAX = 4;

export class Tags {
  constructor(ground, dense) {
    this.ground = ground;
    this.dense = dense;
    this.kept = new Map();
    this.begin();
  }

  /** A new frame: nothing stands anywhere. */
  begin() {
    this.placed = [];
  }

  /** Puts a label with its middle here, or by whole heights up (-1) or down (1) from here. */
  put(pen, text, x, y, edge, way, ink = edge) {
    const key = `${text} ${edge} ${ink}`;
    let made = this.kept.get(key);
    if (!made) {
      if (KEPT_MAX < this.kept.size) this.kept.clear();
      this.kept.set(key, (made = this.draw(text, edge, ink)));
    }
    const { width } = made;
    // There is no room above the upper edge.
    if (way < 0 && y < HIGH * 3) way = 1;
    y = Math.max(HIGH / 2 + 1, y);
    const covers = (other) => Math.abs(other.x - x) < (other.width + width) / 2 && Math.abs(other.y - y) < HIGH;
    for (let tries = 0; tries < TRIES_MAX && this.placed.some(covers); tries += 1) y += way * HIGH;
    this.placed.push({ x, y, width });
    pen.drawImage(made.picture, x - width / 2 - 1, y - 9, width + 2, 18);
  }

  draw(text, edge, ink) {
    const picture = new OffscreenCanvas(1, 1);
    const pen = picture.getContext("2d");
    pen.font = FONT;
    const width = Math.ceil(pen.measureText(text).width) + 10;
    picture.width = Math.ceil((width + 2) * this.dense);
    picture.height = Math.ceil(18 * this.dense);
    pen.setTransform(this.dense, 0, 0, this.dense, this.dense, this.dense);
    pen.globalAlpha = 0.88;
    pen.fillStyle = this.ground;
    pen.beginPath();
    pen.roundRect(0.5, 0.5, width - 1, 15, 7.5);
    pen.fill();
    pen.globalAlpha = 1;
    pen.strokeStyle = edge;
    pen.lineWidth = 1;
    pen.stroke();
    label(pen, text, width / 2, 8, ink, 11, "600");
    return { picture: picture.transferToImageBitmap(), width };
  }
}
