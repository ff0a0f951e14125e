"""Measures the network for people with joints on footage that it never saw, as the engine would use it.

python evaluate_people.py ../../crates/weights-bodies/aisle_people.onnx --aisle ../../target/release/aisle --footage /tmp/footage"""

import argparse
import contextlib
import io
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from footage import SHOPS, record
from people_data import FRAME, HIDDEN, INPUT, VISIBLE, Scene, counted, fitted, held_out, scenes
from people_net import JOINTS

# Below this nothing is looked at; curves of precision begin here.
SCORE_LEAST = 0.02
MATCH_IOU = 0.5
WRISTS = [9, 10]
HEIGHTS = ((0, 48), (48, 96), (96, 160), (160, 1000))
SHARES = ((0.15, 0.4), (0.4, 0.7), (0.7, 0.95), (0.95, 1.01))


@dataclass
class Seen:
    """What the network finds in one frame, the surest first, in pixels of the frame."""

    boxes: np.ndarray  # found x 4, as edges
    scores: np.ndarray  # found
    joints: np.ndarray  # found x 17 x 3: x, y, score


def ious(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes as edges, n x 4 and m x 4: n x m."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clip(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (a, b)]
    return common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9)


class Network:
    """An exported network on one thread."""

    def __init__(self, weights: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def columns(self, picture: np.ndarray) -> np.ndarray:
        """What it gives for a picture of the input's size: cells x 56."""
        images = picture.transpose(2, 0, 1)[None].astype(np.float32) / 255
        return self.session.run(None, {"images": images})[0][0].T

    def candidates(self, scene: Scene) -> np.ndarray:
        """What it gives for a frame, above the least score, the surest first, in pixels of the frame: found x 56."""
        scale = min(INPUT[0] / FRAME[1], INPUT[1] / FRAME[0])
        shift = (np.array(INPUT[::-1]) - np.array(FRAME) * scale) / 2
        found = self.columns(fitted(scene)[0])
        found = found[SCORE_LEAST <= found[:, 4]]
        found = found[np.argsort(-found[:, 4], kind="stable")]
        found[:, :2] = (found[:, :2] - shift) / scale
        found[:, 2:4] /= scale
        found[:, 5::3] = (found[:, 5::3] - shift[0]) / scale
        found[:, 6::3] = (found[:, 6::3] - shift[1]) / scale
        return found


def suppressed(found: np.ndarray, iou_max: float) -> Seen:
    """Candidates without those that overlap a surer one more than that."""
    half = found[:, 2:4] / 2
    boxes = np.concatenate([found[:, :2] - half, found[:, :2] + half], 1)
    overlaps = ious(boxes, boxes)
    kept: list[int] = []
    for index in range(len(found)):
        if (overlaps[index, kept] <= iou_max).all():
            kept.append(index)
    return Seen(boxes[kept], found[kept, 4], found[kept, 5:].reshape(-1, JOINTS, 3))


def precisions(frames: list[Scene], seen: list[Seen]) -> dict[str, float]:
    """AP of COCO for boxes and for joints (Lin et al., 2014)."""
    people, results = [], []
    for image, (frame, found) in enumerate(zip(frames, seen)):
        somebody = counted(frame)
        for index in range(len(somebody)):
            low, high = frame.boxes[index].reshape(2, 2).astype(float)
            states = np.where(np.isfinite(frame.joints[index]).all(-1), frame.states[index], 0)
            joints = np.concatenate([np.nan_to_num(frame.joints[index]), states[:, None]], 1).astype(float)
            people.append(
                {
                    "id": len(people) + 1,
                    "image_id": image,
                    "category_id": 1,
                    "bbox": [*low, *(high - low)],
                    "area": float((high - low).prod()),
                    "iscrowd": int(not somebody[index]),
                    "keypoints": joints.ravel().tolist(),
                    "num_keypoints": int((0 < states).sum()) if somebody[index] else 0,
                }
            )
        for box, score, joints in zip(found.boxes, found.scores, found.joints):
            low, high = box.reshape(2, 2).astype(float)
            marked = np.concatenate([joints[:, :2], np.ones((JOINTS, 1))], 1).ravel().tolist()
            result = {"image_id": image, "category_id": 1, "bbox": [*low, *(high - low)], "score": float(score)}
            results.append(result | {"keypoints": marked})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image} for image in range(len(frames))],
            "annotations": people,
            "categories": [{"id": 1}],
        }
        truth.createIndex()
        figures = {}
        for kind in ("bbox", "keypoints"):
            judge = COCOeval(truth, truth.loadRes(results), kind)
            judge.evaluate()
            judge.accumulate()
            judge.summarize()
            figures |= {f"AP {kind}": judge.stats[0], f"AP50 {kind}": judge.stats[1]}
    return figures


@dataclass
class Matches:
    """Who was found at a threshold: rows of people that count, and what was found of nobody."""

    heights: np.ndarray  # people: of the box, pixels
    shares: np.ndarray  # people: part that can be seen
    found: np.ndarray  # people: whether
    errors: np.ndarray  # people x 17: pixels; NaN for who was not found and joints out of the picture
    states: np.ndarray  # people x 17
    sure: np.ndarray  # people x 17: scores of the joints
    wrong: int  # found of nobody


def matched(frames: list[Scene], seen: list[Seen], score_min: float) -> Matches:
    """Gives everybody the surest box that overlaps enough and that nobody surer took."""
    rows: list[tuple] = []
    wrong = 0
    for frame, found in zip(frames, seen):
        somebody, count = counted(frame), int((score_min <= found.scores).sum())
        overlaps = ious(found.boxes[:count], frame.boxes)
        whose: dict[int, int] = {}
        for index in range(count):
            free = [-1.0 if person in whose else value for person, value in enumerate(overlaps[index])]
            best = int(np.argmax(free)) if free else -1
            if free and MATCH_IOU <= free[best]:
                whose[best] = index
            elif not free or overlaps[index][~somebody].max(initial=0.0) < 0.2:
                wrong += 1
        for person in np.flatnonzero(somebody):
            error, sure = np.full(JOINTS, np.nan), np.full(JOINTS, np.nan)
            if person in whose:
                joints = found.joints[whose[person]]
                error = np.linalg.norm(joints[:, :2] - frame.joints[person], axis=1)
                error[frame.states[person] == 0], sure = np.nan, joints[:, 2]
            height = frame.boxes[person, 3] - frame.boxes[person, 1]
            rows.append((height, frame.shares[person], person in whose, error, frame.states[person], sure))
    return Matches(*(np.array(column) for column in zip(*rows)), wrong)


def report(name: str, frames: list[Scene], seen: list[Seen], score_min: float) -> None:
    """Prints all figures of one shop."""
    found = matched(frames, seen, score_min)
    figures = ", ".join(f"{key} {value:.3f}" for key, value in precisions(frames, seen).items())
    print(f"{name}: {len(frames)} frames, {len(found.found)} people; {figures}")
    print(f"  missed {1 - found.found.mean():.3f}, of nobody {found.wrong / len(frames):.3f} a frame")
    for title, values, steps in (("height", found.heights, HEIGHTS), ("visible share", found.shares, SHARES)):
        parts = [(low, high, found.found[(low <= values) & (values < high)]) for low, high in steps]
        missed = [f"{low:g} to {high:g} {1 - part.mean():.3f} of {len(part)}" for low, high, part in parts if len(part)]
        print(f"  missed by {title}: {', '.join(missed)}")
    for title, columns in (("all joints", slice(None)), ("wrists", WRISTS)):
        errors, states = found.errors[:, columns], found.states[:, columns]
        for state, word in ((VISIBLE, "visible"), (HIDDEN, "hidden")):
            some = errors[(states == state) & np.isfinite(errors)]
            if len(some):
                middle, most = np.percentile(some, (50, 90))
                print(f"  {title}, {word}: median {middle:.1f}, 90 % {most:.1f} pixels of {len(some)}")
    told = np.isfinite(found.sure) & (found.states != 0)
    right = (0.5 <= found.sure[told]) == (found.states[told] == VISIBLE)
    print(f"  whether a joint is visible: right {right.mean():.3f}")


def chosen(frames: list[Scene], candidates: list[np.ndarray]) -> tuple[float, float]:
    """The score and the overlap at which most is right: the harmonic mean of precision and recall is largest."""
    best = (-1.0, 0.0, 0.0)
    for iou_max in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75):
        seen = [suppressed(found, iou_max) for found in candidates]
        for score_min in np.arange(0.1, 0.7, 0.05):
            found = matched(frames, seen, score_min)
            hits = found.found.sum()
            best = max(best, (2 * hits / (hits + len(found.found) + found.wrong), float(score_min), iou_max))
    return best[1], best[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--aisle", default="aisle", help="the program that makes footage")
    parser.add_argument("--footage", type=Path, required=True)
    parser.add_argument("--shops", type=Path, default=SHOPS)
    parser.add_argument("--every", type=int, default=1, help="takes one frame of so many")
    args = parser.parse_args()
    network = Network(args.weights)
    manifest = tomllib.loads(args.weights.with_suffix(".toml").read_text())
    for name, take in held_out(args.shops, args.footage).items():
        frames = scenes(record(take, args.footage, args.aisle))[:: args.every]
        seen = [suppressed(network.candidates(frame), manifest["iou_max"]) for frame in frames]
        report(name, frames, seen, manifest["score_min"])
    times = []
    for _ in range(40):
        start = time.process_time()
        network.columns(np.zeros((*INPUT, 3), np.uint8))
        times.append(time.process_time() - start)
    print(f"one inference on one thread: {np.median(times) * 1e3:.1f} ms in the median, {min(times) * 1e3:.1f} at best")


if __name__ == "__main__":
    main()
