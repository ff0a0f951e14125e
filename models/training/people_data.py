"""Frames of people for training: cut out of footage, disturbed as real pictures are, and put together to batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset

from footage import Take, shots
from people_loss import Target
from people_net import JOINTS
from shops import drawn

# The network's input, height and width, and the cut-outs of frames at about its scale that it is trained on.
INPUT = (288, 480)
CUT = (192, 320)
PAD = 114
# Width and height of the frames of all shops here.
FRAME = (640, 360)
# Whoever shows less of the body than this, or fewer pixels, is neither somebody nor nobody.
SHARE_MIN = 0.15
SIDE_PIXELS_MIN = 8.0
# No frame and no cut-out has more people; the rows of a target.
PEOPLE = 12
# Seconds and frames a second of recordings, so that one frame differs from the next: long ones by the first seeds, and
# short ones by many more, as each seed has other people, colours and lenses.
LONG, SHORT = (90, 1.0), (60, 0.5)
LONG_SEEDS = 6
# What is only ever looked at: seeds from here on, and the hall, a shop of other walls and ways.
HELD_OUT = 900_001
# In the order of the joints, the same on the other side of the body.
MIRRORED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
HIDDEN_WEIGHT, OUTSIDE_WEIGHT = 0.5, 0.25
HIDDEN, VISIBLE = 1, 2


def trained_on(shops: Path, footage: Path, seeds: int) -> list[Take]:
    """The recordings that are trained on: both shops, as they are and with cameras of our own, by every seed."""
    takes = []
    for seed in range(1, seeds + 1):
        length = LONG if seed <= LONG_SEEDS else SHORT
        for name in ("convenience", "micro-market"):
            takes.append(Take(name, seed, *length))
            takes.append(Take(str(drawn(shops / name, seed, footage / "shops")), seed, *length))
    return takes


def held_out(shops: Path, footage: Path) -> dict[str, Take]:
    """The recordings that are never trained on, by what they are."""
    hall = drawn(shops / "convenience", HELD_OUT + 2, footage / "shops", hall=True)
    return {
        "convenience, varied": Take("convenience", HELD_OUT, 60, 1.0),
        "convenience": Take("convenience", HELD_OUT + 1, 60, 1.0, varied=False),
        "micro-market, varied": Take("micro-market", HELD_OUT, 60, 1.0),
        "micro-market": Take("micro-market", HELD_OUT + 1, 60, 1.0, varied=False),
        "hall, varied": Take(str(hall), HELD_OUT + 2, 90, 1.0),
    }


@dataclass
class Scene:
    """A compressed frame and everybody in it. A frame is a cut-out of itself."""

    jpeg: bytes
    boxes: np.ndarray  # people x 4, pixels, as edges: around the part of the body in the picture, also the hidden part
    sizes: np.ndarray  # people: square root of the area of the whole body's box, pixels
    shown: np.ndarray  # people x 4: around the pixels that show them; all 0 for the hidden
    shares: np.ndarray  # people: part of the body in the picture that can be seen
    joints: np.ndarray  # people x 17 x 2, pixels; NaN where unknown
    states: np.ndarray  # people x 17: 0 outside, HIDDEN, VISIBLE

    def picture(self) -> np.ndarray:
        """Height x width x 3, red first."""
        return cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


def scenes(path: Path) -> list[Scene]:
    """All frames of a recording."""
    return [_scene(shot.jpeg, shot.truth["people"]) for shot in shots(path)]


def _scene(jpeg: bytes, people: list[dict]) -> Scene:
    edges = ("left", "top", "right", "bottom")
    boxes = [[person["bounds"][edge] for edge in edges] for person in people]
    shown = [[(person["visible_bounds"] or {}).get(edge, 0.0) for edge in edges] for person in people]
    points = [[(point["pixel"] or (np.nan, np.nan))[:2] for point in person["keypoints"]] for person in people]
    words = ("outside", "hidden", "visible")
    states = [[words.index(point["visibility"]) for point in person["keypoints"]] for person in people]
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return Scene(
        jpeg,
        boxes.clip(0, FRAME * 2),
        np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1)),
        np.array(shown, np.float32).reshape(-1, 4),
        np.array([person["visible_share"] for person in people], np.float32),
        np.array(points, np.float32).reshape(-1, JOINTS, 2),
        np.array(states, np.int8).reshape(-1, JOINTS),
    )


def placed(
    scene: Scene, scaled: tuple[int, int], shift: tuple[int, int], size: tuple[int, int]
) -> tuple[np.ndarray, Scene]:
    """The picture of a scene scaled to a width and height, shifted, and cut to a height and width; and the scene as it
    is in it, without the compressed frame."""
    picture = scene.picture()
    factors = np.array(scaled, np.float32) / picture.shape[1::-1]
    # Down to about half the size two pixels are enough, and far quicker.
    picture = cv2.resize(picture, scaled, interpolation=cv2.INTER_AREA if factors.min() < 0.6 else cv2.INTER_LINEAR)
    canvas = np.full((*size, 3), PAD, np.uint8)
    (left, top), (right, bottom) = np.maximum(shift, 0), np.minimum(np.add(shift, scaled), size[::-1])
    canvas[top:bottom, left:right] = picture[top - shift[1] : bottom - shift[1], left - shift[0] : right - shift[0]]
    factors2, offsets2 = np.tile(factors, 2), np.tile(np.array(shift, np.float32), 2)
    limits = [size[1], size[0]]
    boxes, shown = ((edges * factors2 + offsets2).clip(0, limits * 2) for edges in (scene.boxes, scene.shown))
    shown[(scene.shown[:, 2:] <= scene.shown[:, :2]).any(1)] = 0
    joints = scene.joints * factors + np.array(shift, np.float32)
    beyond = ~((0 <= joints) & (joints < limits)).all(-1)
    states = np.where(beyond, 0, scene.states)
    sizes = scene.sizes * np.sqrt(factors.prod())
    return canvas, Scene(b"", boxes, sizes, shown, scene.shares, joints, states)


def fitted(scene: Scene) -> tuple[np.ndarray, Scene]:
    """A scene as large as it fits into the middle of the network's input, as the engine puts it there."""
    height, width = scene.picture().shape[:2]
    scale = min(INPUT[0] / height, INPUT[1] / width)
    scaled = (round(width * scale), round(height * scale))
    return placed(scene, scaled, ((INPUT[1] - scaled[0]) // 2, (INPUT[0] - scaled[1]) // 2), INPUT)


def counted(scene: Scene) -> np.ndarray:
    """Who is somebody: neither nearly hidden nor too small; people, true or false."""
    sides = scene.shown[:, 2:] - scene.shown[:, :2]
    return (SHARE_MIN <= scene.shares) & (SIDE_PIXELS_MIN <= sides).all(1)


def cut(scene: Scene, roll: np.random.Generator) -> tuple[np.ndarray, Scene]:
    """A part of a frame at another scale, about somebody as a rule, and every second time from the other side."""
    stretch, scale = np.exp(roll.normal(0, 0.05)), 0.75 * np.exp(roll.uniform(np.log(0.6), np.log(1.5)))
    scaled = (round(FRAME[0] * scale * stretch), round(FRAME[1] * scale / stretch))
    free = np.array([CUT[1] - scaled[0], CUT[0] - scaled[1]])
    shift = roll.uniform(np.minimum(free, 0), np.maximum(free, 0))
    whole = np.flatnonzero(counted(scene))
    if len(whole) and roll.random() < 0.75:
        low, high = scene.shown[roll.choice(whole)].reshape(2, 2) * np.divide(scaled, FRAME)
        wanted = np.array(CUT[::-1]) * roll.uniform(0.25, 0.75, 2) - (low + high) / 2
        shift = wanted.clip(np.minimum(free, 0), np.maximum(free, 0))
    picture, scene = placed(scene, scaled, tuple(int(part) for part in shift), CUT)
    return mirrored(picture, scene) if roll.random() < 0.5 else (picture, scene)


def mirrored(picture: np.ndarray, scene: Scene) -> tuple[np.ndarray, Scene]:
    """A picture and its scene with left and right exchanged."""
    width = picture.shape[1]
    # The shown part of who is hidden is all 0 and stays so.
    boxes, shown = (edges.copy() for edges in (scene.boxes, scene.shown))
    for edges in (boxes, shown):
        edges[:, [0, 2]] = np.where(edges[:, [0]] < edges[:, [2]], width - edges[:, [2, 0]], 0)
    joints = scene.joints[:, MIRRORED] * [-1, 1] + [width, 0]
    return picture[:, ::-1], Scene(
        b"", boxes, scene.sizes, shown, scene.shares, joints.astype(np.float32), scene.states[:, MIRRORED]
    )


def covered(picture: np.ndarray, scene: Scene, roll: np.random.Generator) -> None:
    """Puts up to three plain things before the scene, in place."""
    for _ in range(roll.integers(0, 4) if roll.random() < 0.4 else 0):
        side = np.exp(roll.uniform(np.log(8), np.log(90), 2))
        low = roll.uniform(0, np.array(CUT[::-1]) - side / 2)
        left, top, right, bottom = np.concatenate([low, low + side]).astype(int)
        patch = picture[top:bottom, left:right]
        patch[:] = (roll.integers(0, 256, 3) + roll.normal(0, roll.uniform(0, 30), patch.shape[:2] + (1,))).clip(0, 255)
        under = ((left, top) <= scene.joints) & (scene.joints < (right, bottom))
        scene.states[under.all(-1) & (scene.states == VISIBLE)] = HIDDEN
        common = (
            (np.minimum(scene.shown[:, 2:], (right, bottom)) - np.maximum(scene.shown[:, :2], (left, top)))
            .clip(0)
            .prod(1)
        )
        whole = (scene.shown[:, 2:] - scene.shown[:, :2]).prod(1)
        scene.shares = scene.shares * (1 - common / np.maximum(whole, 1))


def disturbed(picture: np.ndarray, roll: np.random.Generator) -> np.ndarray:
    """Other light, colours, focus, noise and compression, of a picture of 8 bits."""
    if roll.random() < 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), roll.uniform(0.4, 1.6))
    # Saturation about grey, then the gain of each channel and what is added to all.
    saturation = 0.0 if roll.random() < 0.08 else roll.uniform(0.4, 1.5)
    gains = roll.uniform(0.55, 1.5) * np.exp(roll.normal(0, 0.1, 3))
    mix = (np.full((3, 3), (1 - saturation) / 3) + np.eye(3) * saturation) * gains[:, None]
    picture = cv2.transform(picture, np.column_stack([mix, np.full(3, roll.uniform(-25, 25))]))
    if roll.random() < 0.3:
        curve = 255 * (np.arange(256) / 255) ** np.exp(roll.normal(0, 0.3))
        picture = cv2.LUT(picture, curve.astype(np.uint8))
    if roll.random() < 0.25:
        noise = np.zeros(picture.shape, np.int16)
        cv2.setRNGSeed(int(roll.integers(1 << 31)))
        cv2.randn(noise, 0, roll.uniform(2, 14))
        picture = cv2.add(picture, noise, dtype=cv2.CV_8U)
    if roll.random() < 0.15:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(roll.integers(20, 75))])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return picture


def target(scene: Scene, size: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """The rows of a `Target` for one picture of this height and width."""
    limits = np.array([size[1], size[0]], np.float32)
    chosen = np.flatnonzero(counted(scene))[:PEOPLE]
    boxes, shown = (np.zeros((PEOPLE, 4), np.float32) for _ in range(2))
    sizes = np.zeros(PEOPLE, np.float32)
    joints, weights, seen = (
        np.zeros((PEOPLE, JOINTS, 2), np.float32),
        *(np.zeros((PEOPLE, JOINTS), np.float32) for _ in range(2)),
    )
    rows = slice(0, len(chosen))
    boxes[rows], sizes[rows] = scene.boxes[chosen], scene.sizes[chosen]
    places, states = scene.joints[chosen], scene.states[chosen]
    known = np.isfinite(places).all(-1)
    joints[rows] = np.where(known[..., None], places, 0)
    near = known & (-0.15 * limits < places).all(-1) & (places < 1.15 * limits).all(-1)
    weights[rows] = np.where(near, np.choose(states, (OUTSIDE_WEIGHT, HIDDEN_WEIGHT, 1.0)), 0)
    seen[rows] = states == VISIBLE
    others = scene.shown[~counted(scene)][:PEOPLE]
    shown[: len(others)] = others
    return boxes, sizes, joints, weights, seen, shown


class Batches(IterableDataset):
    """Endless batches: pictures, batch x height x width x 3 of 8 bits, and the parts of their `Target`."""

    def __init__(self, scenes: list[Scene], count: int, seed: int):
        self.scenes, self.count, self.seed = scenes, count, seed

    def __iter__(self) -> Iterator[list[torch.Tensor]]:
        cv2.setNumThreads(1)
        roll = np.random.default_rng(self.seed)
        # Empty frames teach little, and there are many.
        weights = np.array([1.0 if counted(scene).any() else 0.15 for scene in self.scenes])
        weights /= weights.sum()
        while True:
            rows = [self.one(self.scenes[index], roll) for index in roll.choice(len(weights), self.count, p=weights)]
            yield [torch.from_numpy(np.stack(column)) for column in zip(*rows)]

    @staticmethod
    def one(scene: Scene, roll: np.random.Generator) -> tuple[np.ndarray, ...]:
        picture, scene = cut(scene, roll)
        picture = np.ascontiguousarray(picture)
        covered(picture, scene, roll)
        return disturbed(picture, roll), *target(scene, CUT)


def as_target(columns: list[torch.Tensor], device: str) -> Target:
    """The target out of what follows the pictures in a batch, without rows that no picture of the batch fills."""
    *people, ignored = (column.to(device) for column in columns)
    count = max(1, int((0 < people[1]).sum(1).max()))
    others = max(1, int((0 < ignored[:, :, 2]).sum(1).max()))
    return Target(*(part[:, :count] for part in people), ignored[:, :others])
