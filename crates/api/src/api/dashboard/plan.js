// Draws what does not move on the plan of a floor: walls, zones, units with their plates, cameras and what they see. One
// drawing, made anew when the size, the colours or the floor change.

const PADDING = 22;

/** Where the floor's metres are on a canvas of so many pixels; y grows upwards on the floor. */
export function scaleOf(floor, width, height) {
  const points = [
    ...(floor.room || []),
    ...floor.zones.flatMap((zone) => zone.outline),
    ...floor.shelves.flatMap((shelf) => shelf.outline),
  ];
  if (!points.length) points.push([0, 0], [1, 1]);
  const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const pixels = Math.min((width - 2 * PADDING) / (right - left || 1), (height - 2 * PADDING) / (high - low || 1));
  const [x0, y0] = [(width - (right - left) * pixels) / 2, (height - (high - low) * pixels) / 2];
  const shape = ((right - left) * pixels + 2 * PADDING) / ((high - low) * pixels + 2 * PADDING);
  return { pixels, shape, x: (x) => x0 + (x - left) * pixels, y: (y) => y0 + (high - y) * pixels };
}

export function trace(pen, scale, outline) {
  pen.beginPath();
  outline.forEach(([x, y], index) => (index ? pen.lineTo(scale.x(x), scale.y(y)) : pen.moveTo(scale.x(x), scale.y(y))));
  pen.closePath();
}

export function middle(outline) {
  const sum = outline.reduce(([x, y], point) => [x + point[0], y + point[1]], [0, 0]);
  return [sum[0] / outline.length, sum[1] / outline.length];
}

/** Shelves that stand above each other are one unit on the plan. */
export function unitsOf(floor) {
  const units = new Map();
  for (const shelf of floor.shelves) {
    const name = shelf.shelf.split("-")[0];
    if (!units.has(name)) units.set(name, { name, outline: shelf.outline, shelves: [] });
    units.get(name).shelves.push(shelf);
  }
  return [...units.values()];
}

export function drawPlan(pen, scale, floor, paint, options) {
  pen.lineJoin = "round";
  room(pen, scale, floor, paint);
  for (const zone of floor.zones) drawZone(pen, scale, zone, paint);
  if (options.views) for (const camera of floor.cameras) drawView(pen, scale, camera, paint);
  for (const unit of unitsOf(floor)) drawUnit(pen, scale, unit, paint);
  if (floor.room) {
    trace(pen, scale, floor.room);
    pen.strokeStyle = paint.wall;
    pen.lineWidth = 5;
    pen.stroke();
  }
  for (const camera of floor.cameras) drawCamera(pen, scale, camera, paint);
}

function room(pen, scale, floor, paint) {
  if (!floor.room) return;
  pen.save();
  trace(pen, scale, floor.room);
  pen.fillStyle = paint.floor;
  pen.fill();
  pen.clip();
  // A tile is half a metre.
  pen.strokeStyle = paint.tile;
  pen.lineWidth = 1;
  const [xs, ys] = [floor.room.map((point) => point[0]), floor.room.map((point) => point[1])];
  pen.beginPath();
  for (let x = Math.ceil(Math.min(...xs) * 2) / 2; x < Math.max(...xs); x += 0.5) {
    const at = Math.round(scale.x(x)) + 0.5;
    pen.moveTo(at, scale.y(Math.min(...ys)));
    pen.lineTo(at, scale.y(Math.max(...ys)));
  }
  for (let y = Math.ceil(Math.min(...ys) * 2) / 2; y < Math.max(...ys); y += 0.5) {
    const at = Math.round(scale.y(y)) + 0.5;
    pen.moveTo(scale.x(Math.min(...xs)), at);
    pen.lineTo(scale.x(Math.max(...xs)), at);
  }
  pen.stroke();
  pen.restore();
}

function drawZone(pen, scale, zone, paint) {
  const colour = zone.kind === "entrance" ? paint.mark : zone.kind === "exit" ? paint.doubt : paint.faint;
  pen.save();
  trace(pen, scale, zone.outline);
  pen.globalAlpha = 0.13;
  pen.fillStyle = colour;
  pen.fill();
  pen.globalAlpha = 0.7;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.setLineDash([5, 4]);
  pen.stroke();
  pen.restore();
  const [x, y] = middle(zone.outline);
  label(pen, zone.name, scale.x(x), scale.y(y), colour, Math.min(13, Math.max(10, scale.pixels * 0.16)));
}

function drawView(pen, scale, camera, paint) {
  if (camera.sees.length < 3) return;
  const [x, y] = [scale.x(camera.place[0]), scale.y(camera.place[1])];
  const far = Math.max(...camera.sees.map(([a, b]) => Math.hypot(scale.x(a) - x, scale.y(b) - y)), 1);
  const fade = pen.createRadialGradient(x, y, 0, x, y, far);
  fade.addColorStop(0, paint.sight);
  fade.addColorStop(1, paint.sightfar);
  trace(pen, scale, camera.sees);
  pen.fillStyle = fade;
  pen.fill();
}

function drawUnit(pen, scale, unit, paint) {
  pen.save();
  trace(pen, scale, unit.outline);
  pen.shadowColor = paint.shadow;
  pen.shadowBlur = 9;
  pen.shadowOffsetY = 3;
  pen.fillStyle = paint.unit;
  pen.fill();
  pen.restore();
  pen.strokeStyle = paint.unitedge;
  pen.globalAlpha = 0.4;
  pen.lineWidth = 0.8;
  // Plates of the widest shelf, as a measure of the unit.
  const most = unit.shelves.reduce((best, shelf) => (best.plates.length < shelf.plates.length ? shelf : best));
  for (const plate of most.plates) {
    trace(pen, scale, plate.outline);
    pen.stroke();
  }
  pen.globalAlpha = 1;
  trace(pen, scale, unit.outline);
  pen.lineWidth = 1.5;
  pen.stroke();
  const [x, y] = middle(unit.outline);
  const [px, py] = [scale.x(x), scale.y(y)];
  pen.beginPath();
  pen.arc(px, py, 10, 0, 7);
  pen.fillStyle = paint.unit;
  pen.fill();
  label(pen, unit.name, px, py, paint.ink, 12, "600");
}

function drawCamera(pen, scale, camera, paint) {
  const [x, y] = [scale.x(camera.place[0]), scale.y(camera.place[1])];
  const [tx, ty] = camera.sees.length ? middle(camera.sees) : camera.place;
  pen.save();
  pen.translate(x, y);
  pen.rotate(Math.atan2(scale.y(ty) - y, scale.x(tx) - x));
  pen.fillStyle = paint.ink;
  pen.strokeStyle = paint.paper;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.roundRect(-7, -5, 10, 10, 2.5);
  pen.moveTo(3, -2);
  pen.lineTo(8, -5);
  pen.lineTo(8, 5);
  pen.lineTo(3, 2);
  pen.closePath();
  pen.stroke();
  pen.fill();
  pen.restore();
}

export function label(pen, text, x, y, colour, size, weight = "500") {
  pen.font = `${weight} ${size}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = colour;
  pen.fillText(text, x, y + 0.5);
}
