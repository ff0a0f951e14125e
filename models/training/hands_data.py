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
            wanted.append((away, 0, 0, "", 0))
        for (x, y, side), *known in wanted:
            if -side / 4 < x < width + side / 4 and -side / 4 < y < height + side / 4:
                reach = side * KEPT / SIDE
                rows.append((cut(picture, x, y, reach, reach, (KEPT, KEPT)), *known, side))
    pictures, hand, holding, sku, pixels, side = zip(*rows)
    return Hands(*(np.array(column) for column in (pictures, hand, holding, sku, pixels, side)))


def _hands(body: dict, rng: np.random.Generator, copies: int) -> list[tuple]:
    """Squares, whether a hand is seen and whether it holds, what, on how many pixels."""
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
        sku = hand["holds"][0] if holding == 1 and len(set(hand["holds"])) == 1 else ""
        for _ in range(copies if holding == 1 else 1):
            noisy = joints + rng.normal(0, JOINT_NOISE * square[2], joints.shape)
            square_noisy = hand_square(noisy, known, number)
            rows.append((square_noisy, int(shown or HELD_PIXELS_MIN <= pixels), holding, sku, pixels))
    return rows


@dataclass
class Goods:
    """The goods of a shop, in the order of its shelves."""

    skus: list[str]
    # Goods x views x side x side x 3.
    pictures: np.ndarray

    def cutout(self, good: int, view: int) -> np.ndarray:
        """Which pixels of a picture show the good."""
        picture = self.pictures[good, view].astype(np.int16)
        return np.abs(picture - picture[0, 0]).max(-1) > 2


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


def turned(picture: np.ndarray, mask: np.ndarray | None, fill: float, rng: np.random.Generator) -> tuple:
    """A picture of a good (and its mask) turned, squeezed and moved a little within a square of the network's size;
    `fill` is the share of the square that the picture's side takes."""
    angle = rng.normal(0, 12) if rng.random() < 0.6 else rng.uniform(-180, 180)
    size = fill * SIDE / PORTRAIT_SIDE
    matrix = cv2.getRotationMatrix2D((PORTRAIT_SIDE / 2 - 0.5,) * 2, angle, size)
    matrix[:, :2] = matrix[:, :2] @ np.diag([1.0, rng.uniform(0.8, 1.0)])
    middle = matrix[:, :2] @ np.full(2, PORTRAIT_SIDE / 2 - 0.5)
    matrix[:, 2] = SIDE / 2 - 0.5 + rng.normal(0, 0.05 * SIDE, 2) - middle
    if size < 0.7:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 / size)
    ground = tuple(int(part) for part in picture[0, 0])
    warped = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=ground)
    if mask is None:
        return warped, None
    alpha = cv2.warpAffine(mask.astype(np.float32), matrix, (SIDE, SIDE), flags=cv2.INTER_AREA)
    return warped, cv2.GaussianBlur(alpha, (0, 0), 0.6)


def portrait(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A catalogue's picture as the network sees it, on some other ground now and then."""
    warped, _ = turned(picture, None, rng.uniform(0.4, 1.0), rng)
    return warped


def held(empty: np.ndarray, picture: np.ndarray, mask: np.ndarray, fill: float, rng: np.random.Generator) -> np.ndarray:
    """A good laid over an empty hand, some fingers over it: what footage shows too seldom of too few goods. `fill` as in
    `turned`."""
    warped, alpha = turned(picture, mask, fill, rng)
    gain = np.exp(rng.normal(-0.15, 0.25))
    over = np.clip(warped * gain, 0, 255)
    made = empty * (1 - alpha[..., None]) + over * alpha[..., None]
    middle = empty[SIDE // 2 - 3 : SIDE // 2 + 4, SIDE // 2 - 3 : SIDE // 2 + 4].reshape(-1, 3)
    skin = tuple(float(part) for part in np.median(middle, axis=0))
    at, way = rng.normal(SIDE / 2, 6, 2), rng.uniform(0, 2 * np.pi)
    step = np.array([np.cos(way), np.sin(way)])
    long, thick = rng.uniform(4, 16), int(rng.integers(2, 5))
    for finger in range(int(rng.integers(0, 5))):
        root = at + np.array([-step[1], step[0]]) * finger * (thick + 1)
        ends = [tuple(int(part) for part in root + step * long * end) for end in (-0.5, 0.5)]
        cv2.line(made, *ends, skin, thick, cv2.LINE_AA)
    if rng.random() < 0.2:
        # Somebody or something in front.
        edge = int(rng.integers(SIDE // 4, 3 * SIDE // 4))
        axis = rng.integers(2)
        part = (slice(edge, None), slice(None)) if axis else (slice(None), slice(edge, None))
        made[part] = empty[part] if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    if rng.random() < 0.6:
        # The frame was coarser than the square.
        small = int(SIDE * rng.uniform(0.4, 1.0))
        made = cv2.resize(cv2.resize(made, (small, small), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    return np.clip(made, 0, 255).astype(np.uint8)
