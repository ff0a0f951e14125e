"""What the network for hands and products learns from: squares around hands in footage, and pictures of goods."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from crops import cut, hand_square
from footage import shots

SIDE = 64
# Squares are kept with a rim, so that training can shift them.
RIM = 5
KEPT = SIDE + 2 * RIM
PORTRAIT_SIDE = 96
# Seen on fewer pixels a thing is as good as hidden.
HELD_PIXELS_MIN = 8
# How far joints of a pose network are off, as a share of the square's side, standard deviation.
JOINT_NOISE = 0.05
# Sides of the pictures that are laid over hands, in squares, and how far from the palm; as in footage.
FILL = (0.22, 0.8)
HELD_OFF = 0.09
UNKNOWN = -1
# Squares with other noise of a hand that holds something.
COPIES = 2


@dataclass
class Hands:
    """Squares around places where joints say that hands are; by square a number."""

    pictures: np.ndarray
    # 1 a hand is seen, 0 none is.
    hand: np.ndarray
    # 1 something is seen in it, 0 nothing, -1 nobody knows.
    holding: np.ndarray
    # What is held, a code of the catalogue, or nothing.
    sku: np.ndarray
    # Pixels of the frame that show it, -1 where the recording does not say.
    held_pixels: np.ndarray
    # Middle of the palm in the picture, NaN where it is not seen.
    palm: np.ndarray
    # Left, top, right and bottom of what shows the good in the picture, NaN where nothing does or the recording does not say.
    box: np.ndarray
    # Side of the square in the frame.
    side_pixels: np.ndarray


def hands_of(recording: Path, rng: np.random.Generator, copies: int = COPIES) -> Hands:
    """All squares around hands of a recording; those that hold something `copies` times, with other noise."""
    rows = []
    for shot in shots(recording):
        wanted = [row for body in shot.truth["people"] for row in _hands(body, rng, copies)]
        if not wanted:
            continue
        picture = np.ascontiguousarray(shot.picture())
        height, width = picture.shape[:2]
        x, y, side = wanted[rng.integers(len(wanted))][0]
        palms = [hand["palm"]["pixel"] for body in shot.truth["people"] for hand in body["hands"]]
        away = (rng.uniform(0, width), rng.uniform(0, height), side)
        if all(palm is None or side < np.hypot(palm[0] - away[0], palm[1] - away[1]) for palm in palms):
            wanted.append((away, 0, 0, "", 0, np.full(2, np.nan), np.full(4, np.nan)))
        for (x, y, side), *known, palm, box in wanted:
            if -side / 4 < x < width + side / 4 and -side / 4 < y < height + side / 4:
                reach = side * KEPT / SIDE
                corner, scale = np.array([x, y]) - reach / 2, KEPT / reach
                palm, box = (palm - corner) * scale, (box - np.tile(corner, 2)) * scale
                rows.append((cut(picture, x, y, reach, reach, (KEPT, KEPT)), *known, palm, box, side))
    return Hands(*(np.array(column) for column in zip(*rows)))


def _hands(body: dict, rng: np.random.Generator, copies: int) -> list[tuple]:
    """Squares, whether a hand is seen and whether it holds, what, on how many pixels, the palm, and the box around what
    it holds, both in pixels of the frame."""
    if body["visible_bounds"] is None:
        return []
    points = body["keypoints"]
    joints = np.array([point["pixel"][:2] if point["pixel"] else (np.nan, np.nan) for point in points])
    seen = np.array([point["visibility"] == "visible" for point in points])
    rows = []
    for number, hand in enumerate(body["hands"]):
        shown = seen[9 + number] or hand["palm"]["visibility"] == "visible"
        pixels = hand.get("held_pixels", UNKNOWN) if hand["holds"] else 0
        known = (seen | (rng.random(17) < 0.5)) & ~np.isnan(joints[:, 0])
        known[9 + number] = not np.isnan(joints[9 + number, 0])
        square = hand_square(joints, known, number)
        if square is None or (not shown and pixels < HELD_PIXELS_MIN and rng.random() < 0.6):
            continue
        if not hand["holds"]:
            holding = 0
        elif pixels == UNKNOWN:
            holding = 1 if shown else UNKNOWN
        else:
            holding = 1 if HELD_PIXELS_MIN <= pixels else UNKNOWN if pixels else 0
        palm = hand["palm"]["pixel"][:2] if hand["palm"]["visibility"] == "visible" else (np.nan, np.nan)
        bounds = hand.get("held_bounds")
        box = [bounds[side] for side in ("left", "top", "right", "bottom")] if bounds and holding == 1 else [np.nan] * 4
        sku = hand["holds"][0] if holding == 1 and len(set(hand["holds"])) == 1 else ""
        for _ in range(copies if holding == 1 else 1):
            noisy = joints + rng.normal(0, JOINT_NOISE * square[2], joints.shape)
            square_noisy = hand_square(noisy, known, number)
            known_of = int(shown or HELD_PIXELS_MIN <= pixels), holding, sku, pixels
            rows.append((square_noisy, *known_of, np.array(palm), np.array(box)))
    return rows


@dataclass
class Goods:
    """The goods of a shop, in the order of its shelves."""

    skus: list[str]
    # Goods x views x side x side x 3.
    pictures: np.ndarray


def cutout(picture: np.ndarray) -> np.ndarray:
    """Which pixels of a catalogue's picture show the good."""
    return np.abs(picture.astype(np.int16) - picture[0, 0]).max(-1) > 2


def goods_of(shop: str, folder: Path, aisle: str) -> Goods:
    """Pictures of a shop's goods from all sides, drawn unless they are there already."""
    kept = folder / f"goods-{Path(shop).name}.npz"
    if not kept.exists():
        drawn = folder / f"goods-{Path(shop).name}"
        command = [aisle, "export", "pictures", shop, "-o", str(drawn), "--side", str(PORTRAIT_SIDE)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        order = [path.name for path in drawn.iterdir()]
        planogram = next((path / "planogram.toml" for path in (Path(shop), _shipped(shop)) if path.is_dir()))
        skus = list(dict.fromkeys(sku for sku in re.findall(r'"(\d{13})"', planogram.read_text()) if sku in order))
        pictures = [[_read(path) for path in sorted((drawn / sku).iterdir())] for sku in skus]
        np.savez_compressed(kept, skus=skus, pictures=np.array(pictures))
        for path in sorted(drawn.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        drawn.rmdir()
    held = np.load(kept)
    return Goods(held["skus"].tolist(), held["pictures"])


def _shipped(shop: str) -> Path:
    return Path(__file__).parents[2] / "calibration" / shop


def _read(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[:, :, ::-1]


def turned(picture: np.ndarray, fill: float, at: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A picture of a good, turned, squeezed and laid with its middle at a place of a square of the network's size, and
    how much of each pixel it covers. `fill` is the share of the square that the picture's side takes."""
    angle = rng.normal(0, 12) if rng.random() < 0.6 else rng.uniform(-180, 180)
    size = fill * SIDE / PORTRAIT_SIDE
    matrix = cv2.getRotationMatrix2D((PORTRAIT_SIDE / 2 - 0.5,) * 2, angle, size)
    matrix[:, :2] = matrix[:, :2] @ np.diag([1.0, rng.uniform(0.8, 1.0)])
    matrix[:, 2] = at - 0.5 - matrix[:, :2] @ np.full(2, PORTRAIT_SIDE / 2 - 0.5)
    mask = cutout(picture).astype(np.float32)
    if size < 0.7:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 / size)
    ground = tuple(int(part) for part in picture[0, 0])
    warped = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=ground)
    return warped, cv2.GaussianBlur(cv2.warpAffine(mask, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR), (0, 0), 0.6)


def portrait(picture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A catalogue's picture as the network sees it, and where it shows the good."""
    return turned(picture, rng.uniform(0.5, 1.0), SIDE / 2 + rng.normal(0, 0.04 * SIDE, 2), rng)


def held(empty: np.ndarray, palm: np.ndarray, picture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A good laid over an empty hand, some fingers over it: what footage shows too seldom of too few goods. Also how much
    of each pixel shows it."""
    low, high = np.log(FILL)
    warped, alpha = turned(picture, np.exp(rng.uniform(low, high)), palm + rng.normal(0, HELD_OFF * SIDE, 2), rng)
    over = np.clip(warped * np.exp(rng.normal(-0.25, 0.3)), 0, 255)
    made = empty * (1 - alpha[..., None]) + over * alpha[..., None]
    x, y = palm.clip(3, SIDE - 4).astype(int)
    skin = np.median(empty[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3), axis=0)
    before = np.zeros((SIDE, SIDE), np.uint8)
    root, way = palm + rng.normal(0, 3, 2), rng.uniform(0, 2 * np.pi)
    step = np.array([np.cos(way), np.sin(way)])
    long, thick = rng.uniform(3, 12), int(rng.integers(1, 4))
    for finger in range(int(rng.integers(0, 5))):
        begin = root + np.array([-step[1], step[0]]) * finger * (thick + 1)
        cv2.line(before, *(tuple(int(part) for part in begin + step * long * end) for end in (-0.5, 0.5)), 255, thick, cv2.LINE_AA)
    hidden = before[..., None] / 255
    made, alpha = made * (1 - hidden) + skin * hidden, alpha * (1 - hidden[..., 0])
    if rng.random() < 0.2:
        # Somebody or something in front.
        edge = int(rng.integers(SIDE // 4, 3 * SIDE // 4))
        part = (slice(edge, None), slice(None)) if rng.integers(2) else (slice(None), slice(edge, None))
        made[part] = empty[part] if rng.random() < 0.5 else rng.uniform(0, 255, 3)
        alpha[part] = 0.0
    if rng.random() < 0.6:
        # The frame was coarser than the square.
        small = int(SIDE * rng.uniform(0.4, 1.0))
        made = cv2.resize(cv2.resize(made, (small, small), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    return np.clip(made, 0, 255).astype(np.uint8), alpha
