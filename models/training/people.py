"""Trains the network for people with joints from nothing: makes footage, trains, writes ONNX and manifest.

    python people.py --aisle ../../target/release/aisle --footage /tmp/footage --out .. --minutes 112

Killed, it goes on from its last checkpoint, which lies beside the footage."""

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from blocks import export, write_manifest
from course import Course
from evaluate_people import Network, chosen
from footage import SHOPS, options, record
from people_data import CUT, INPUT, PAD, Batches, Scene, as_target, held_out, scenes, trained_on
from people_loss import loss
from people_net import Columns, People

NAME = "aisle_people"
BATCH = 8
RATES, DECAY = (2e-3, 2e-5), 0.03
# The held out footage on which the least score and the largest overlap are chosen.
CHOSEN_ON = ("convenience, varied", "micro-market, varied")
MANIFEST = """\
score_min = {score_min:.2f}
iou_max = {iou_max:.2f}

[input]
width = {width}
height = {height}
colour = "rgb"
deviation = 255
fit = "centre"
pad = {pad}

[decoder]
kind = "yolov8"
classes = 1
person = 0
keypoints = "coco"
"""


def train(course: Course, footage: list[Scene], minutes: float, path: Path) -> None:
    """Trains on pictures of the footage, another part of them each time."""
    batches = iter(DataLoader(Batches(footage, BATCH, course.step), None, num_workers=1, prefetch_factor=4))

    def one() -> tuple[Tensor, dict[str, float]]:
        batch = next(batches)
        images = batch[0].to(course.device).permute(0, 3, 1, 2) / 255
        with torch.autocast(course.device, torch.bfloat16):
            found = course.net(images)
        return loss(found, CUT, as_target(batch[1:], course.device))

    course.run(minutes, path, one)


def write(course: Course, out: Path, score_min: float, iou_max: float) -> Path:
    """Writes the averaged network and its manifest; gives the path of the network."""
    weights = out / f"{NAME}.onnx"
    export(Columns(course.averaged()), INPUT, ["people"], weights)
    body = MANIFEST.format(score_min=score_min, iou_max=iou_max, width=INPUT[1], height=INPUT[0], pad=PAD)
    write_manifest(weights, "People with 17 joints, learnt from rendered shops by training/people.py.", "people", body)
    return weights


def main() -> None:
    parser = options(__doc__, 112.0)
    parser.add_argument("--shops", type=Path, default=SHOPS, help="the shops of aisle")
    parser.add_argument("--seeds", type=int, default=24, help="seeds that are trained on, each in four shops")
    args = parser.parse_args()
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    course, path = Course(People(), device, RATES, DECAY), args.footage / f"{NAME}.pt"
    if path.exists():
        course.load(path)
    if course.seconds < 60 * args.minutes:
        takes = trained_on(args.shops, args.footage, args.seeds)
        footage = [scene for take in takes for scene in scenes(record(take, args.footage, args.aisle))]
        print(f"{len(footage)} frames, {sum(len(scene.shares) for scene in footage)} people", flush=True)
        train(course, footage, args.minutes, path)
    network = Network(write(course, args.out, 0.0, 0.0))
    takes = [take for name, take in held_out(args.shops, args.footage).items() if name in CHOSEN_ON]
    frames = [scene for take in takes for scene in scenes(record(take, args.footage, args.aisle))]
    score_min, iou_max = chosen(frames, [network.candidates(frame) for frame in frames])
    write(course, args.out, score_min, iou_max)


if __name__ == "__main__":
    main()
