"""Trains the network for people with joints from nothing: makes footage, trains, writes ONNX and manifest.

    python people.py --aisle ../../target/release/aisle --footage /tmp/footage --out .. --minutes 75

Killed, it goes on from its last checkpoint, which lies beside the footage."""

import argparse
import copy
import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from blocks import export, write_manifest
from evaluate_people import Network, chosen
from footage import record
from people_data import CUT, INPUT, PAD, Batches, Scene, as_target, held_out, scenes, trained_on
from people_loss import loss
from people_net import Columns, People

NAME = "aisle_people"
BATCH = 8
RATE_MAX, RATE_MIN, DECAY, NORM_MAX = 2e-3, 2e-5, 0.03, 10.0
WARM_STEPS = 200
# Weights are averaged over about so many of the last steps (Polyak and Juditsky, 1992).
AVERAGE_STEPS = 1000
CHECKPOINT_SECONDS = 180.0
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


class Training:
    """A network under training, the average of its weights, and how long it has been at it."""

    def __init__(self, device: str):
        self.device = device
        self.net = People().to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval()
        # Normalisation and biases are not pulled to 0.
        weights = [weight for weight in self.net.parameters() if 1 < weight.dim()]
        others = [weight for weight in self.net.parameters() if weight.dim() <= 1]
        groups = [{"params": weights, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=RATE_MAX)
        self.step, self.seconds = 0, 0.0

    def load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device)
        for name in ("net", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self, path: Path) -> None:
        state = {name: getattr(self, name).state_dict() for name in ("net", "average", "optimiser")}
        part = path.with_suffix(".part")
        torch.save({**state, "step": self.step, "seconds": self.seconds}, part)
        part.rename(path)

    def learn(self, batch: list[Tensor], done: float) -> dict[str, float]:
        """One step; `done` is the part of the time that has gone. Gives the parts of the loss."""
        for group in self.optimiser.param_groups:
            falling = RATE_MIN + (RATE_MAX - RATE_MIN) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
            group["lr"] = falling * min(1.0, (self.step + 1) / WARM_STEPS)
        images = batch[0].to(self.device).permute(0, 3, 1, 2) / 255
        with torch.autocast(self.device, torch.bfloat16):
            found = self.net(images)
        total, parts = loss(found, CUT, as_target(batch[1:], self.device))
        self.optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), NORM_MAX)
        self.optimiser.step()
        self.step += 1
        self.follow()
        return parts

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the average towards the weights, quickly as long as there are few steps to average."""
        keep = min(1 - 1 / AVERAGE_STEPS, self.step / (self.step + 10))
        for mean, value in zip(self.average.state_dict().values(), self.net.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)


def train(training: Training, footage: list[Scene], minutes: float, path: Path) -> None:
    """Trains until so many minutes have gone, those before a break counted, and leaves a checkpoint now and then."""
    loader = DataLoader(Batches(footage, BATCH, training.step), None, num_workers=1, prefetch_factor=4)
    clock = saved = time.monotonic()
    means: dict[str, float] = {}
    for batch in loader:
        for name, value in training.learn(batch, training.seconds / (60 * minutes)).items():
            means[name] = value if name not in means else means[name] * 0.98 + value * 0.02
        now = time.monotonic()
        training.seconds, clock = training.seconds + now - clock, now
        over = 60 * minutes <= training.seconds
        if training.step % 50 == 0:
            figures = " ".join(f"{name} {value:.3f}" for name, value in means.items())
            print(f"{training.seconds / 60:.1f} min, step {training.step}: {figures}", flush=True)
        if over or CHECKPOINT_SECONDS <= now - saved:
            training.save(path)
            saved = now
        if over:
            return


def write(training: Training, out: Path, score_min: float, iou_max: float) -> Path:
    """Writes the averaged network and its manifest; gives the path of the network."""
    weights = out / f"{NAME}.onnx"
    net = copy.deepcopy(training.average).cpu().to(memory_format=torch.contiguous_format)
    export(Columns(net), INPUT, ["people"], weights)
    body = MANIFEST.format(score_min=score_min, iou_max=iou_max, width=INPUT[1], height=INPUT[0], pad=PAD)
    write_manifest(weights, "People with 17 joints, learnt from rendered shops by training/people.py.", "people", body)
    return weights


def main() -> None:
    here = Path(__file__).resolve()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aisle", default="aisle", help="the program that makes footage")
    parser.add_argument("--footage", type=Path, required=True, help="a folder for recordings and the checkpoint")
    parser.add_argument("--shops", type=Path, default=here.parents[2] / "calibration", help="the shops of aisle")
    parser.add_argument("--out", type=Path, default=here.parents[1])
    parser.add_argument("--minutes", type=float, default=77.0)
    parser.add_argument("--seeds", type=int, default=24, help="seeds that are trained on, each in four shops")
    args = parser.parse_args()
    torch.manual_seed(1)
    training, path = Training("cuda" if torch.cuda.is_available() else "cpu"), args.footage / f"{NAME}.pt"
    if path.exists():
        training.load(path)
    if training.seconds < 60 * args.minutes:
        takes = trained_on(args.shops, args.footage, args.seeds)
        footage = [scene for take in takes for scene in scenes(record(take, args.footage, args.aisle))]
        print(f"{len(footage)} frames, {sum(len(scene.shares) for scene in footage)} people", flush=True)
        train(training, footage, args.minutes, path)
    network = Network(write(training, args.out, 0.0, 0.0))
    takes = [take for name, take in held_out(args.shops, args.footage).items() if name in CHOSEN_ON]
    frames = [scene for take in takes for scene in scenes(record(take, args.footage, args.aisle))]
    score_min, iou_max = chosen(frames, [network.candidates(frame) for frame in frames])
    write(training, args.out, score_min, iou_max)


if __name__ == "__main__":
    main()
