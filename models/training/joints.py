"""Trains the network that finds the 17 joints of one person in their box, from nothing: makes footage, trains, writes ONNX
and manifest, and says how far joints are off on footage that it was not trained on.

    python joints.py --aisle ../../target/release/aisle --footage /tmp/footage --out .. --minutes 105

People in boxes need far less training than people anywhere in a frame: every picture is somebody, about as large as all
others. Killed, it goes on from its last checkpoint, which lies beside the footage."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from blocks import Residual, conv, export, write_manifest
from course import Course
from crops import cut
from footage import SHOPS, options, record
from people_data import HIDDEN, HIDDEN_WEIGHT, MIRRORED, OUTSIDE_WEIGHT, VISIBLE, counted, held_out, scenes, trained_on
from torch import Tensor, nn

NAME = "aisle_joints"
JOINTS = 17
# The input is a square about a box, its side so many times the box's longer one.
SIDE, MARGIN = 128, 1.25
# Pictures are kept with room around the input, so that they can be turned and shifted.
ROOM = 160
# Places a pixel along each axis, and the deviation of the label about the true place (SimCC: Li et al., 2022).
SPLIT, LABEL_PLACES = 2, 3.0
WIDTH = 64
BATCH = 64
RATES, DECAY = (2e-3, 1e-5), 0.05
MANIFEST = """\
score_min = 0.05

[input]
width = 128
height = 128
colour = "rgb"
deviation = 255
region = "box"
margin = 1.25
fit = "centre"
pad = 114

[decoder]
kind = "simcc"
split = 2
"""


class Joints(nn.Module):
    """A residual backbone down to 8 x 8, brought back to 16 x 16; two maps for each joint, and from these by one linear
    layer for all joints a distribution over the places along each axis (SimCC), and whether the joint is seen."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(
            conv(3, 16, 3, 2), conv(16, 32, 3, 2), Residual(32),
            conv(32, WIDTH, 3, 2), Residual(WIDTH), Residual(WIDTH), Residual(WIDTH),
        )
        self.coarse = nn.Sequential(conv(WIDTH, 128, 3, 2), *(Residual(128) for _ in range(4)), conv(128, WIDTH, 1))
        self.mixed = conv(WIDTH, WIDTH)
        self.maps = nn.Conv2d(WIDTH, JOINTS * 2, 1)
        cells = 2 * (SIDE // 8) ** 2
        self.across, self.down = nn.Linear(cells, SIDE * SPLIT), nn.Linear(cells, SIDE * SPLIT)
        self.seen = nn.Linear(cells, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For images of 0 to 1, batch x 3 x 128 x 128: logits of the places along x and along y, batch x 17 x 256, and
        the logit that the joint is seen, batch x 17."""
        fine = self.fine(images)
        mixed = self.mixed(fine + F.interpolate(self.coarse(fine), scale_factor=2.0))
        maps = self.maps(mixed).unflatten(1, (JOINTS, 2)).flatten(2)
        return self.across(maps), self.down(maps), self.seen(maps)[..., 0]


class Peaks(nn.Module):
    """What is exported: images to distributions whose peaks are as high as the joint is surely seen."""

    def __init__(self, net: Joints):
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        across, down, seen = self.net(images)
        height = seen.sigmoid()[..., None]
        return tuple(torch.exp(axis - axis.amax(2, keepdim=True)) * height for axis in (across, down))


class People:
    """Everybody of some recordings, each in a square picture about the box."""

    def __init__(self, paths: list[Path]):
        pictures, joints, states, scales, recordings = [], [], [], [], []
        for number, scene in ((number, scene) for number, path in enumerate(paths) for scene in scenes(path)):
            chosen = np.flatnonzero(counted(scene))
            picture = scene.picture() if len(chosen) else None
            for person in chosen:
                low, high = scene.boxes[person].reshape(2, 2)
                middle, side = (low + high) / 2, (high - low).max() * MARGIN * ROOM / SIDE
                pictures.append(cut(picture, *middle, side, side, (ROOM, ROOM)))
                joints.append((scene.joints[person] - middle) * (ROOM / side))
                states.append(scene.states[person])
                scales.append(side / ROOM)
                recordings.append(number)
        self.pictures = torch.from_numpy(np.stack(pictures))
        # From the middle of the picture, in its pixels; what nobody knows is far outside.
        self.joints = torch.from_numpy(np.nan_to_num(np.stack(joints), nan=1e4)).float()
        self.states = torch.from_numpy(np.stack(states)).long()
        # Pixels of the frame for one of the picture.
        self.scales = torch.tensor(scales).float()
        # How often somebody is learned from: people of shops with few people more often.
        counts = np.bincount(recordings, minlength=len(paths))
        self.weights = torch.from_numpy(counts[recordings] ** -0.5).float()


def moved(people: People, rows: Tensor, roll: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures as the network takes them, batch x 3 x 128 x 128 of 0 to 1, joints from the corner in their pixels, and
    states: turned, scaled, shifted and mirrored by `roll`, as they are without it."""
    count = len(rows)
    rand = lambda *shape: torch.rand(count, *shape, generator=roll) * 2 - 1  # noqa: E731
    angle, scale, shift = torch.zeros(count), torch.ones(count), torch.zeros(count, 2)
    mirror = torch.zeros(count, dtype=torch.bool)
    if roll is not None:
        angle, scale, shift = rand() * rand().abs() * 0.6, torch.exp(rand() * 0.25), rand(2) * 0.08 * SIDE
        mirror = rand() < 0
    cos, sin = angle.cos() / scale, angle.sin() / scale
    side = torch.where(mirror, -1.0, 1.0)
    # From the input to the kept picture, both from their middles.
    turn = torch.stack([torch.stack([cos * side, -sin], 1), torch.stack([sin * side, cos], 1)], 1)
    matrix = torch.cat([turn * (SIDE / ROOM), (-turn @ shift[..., None]) / (ROOM / 2)], 2)
    images = people.pictures[rows].permute(0, 3, 1, 2).float() / 255
    grid = F.affine_grid(matrix, [count, 3, SIDE, SIDE], align_corners=False)
    images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    joints, states = people.joints[rows], people.states[rows]
    joints = (torch.linalg.inv(turn)[:, None] @ joints[..., None])[..., 0] + shift[:, None] + SIDE / 2
    swapped = mirror[:, None, None]
    joints = torch.where(swapped, joints[:, MIRRORED], joints)
    states = torch.where(mirror[:, None], states[:, MIRRORED], states)
    return images, joints, states


def recoloured(images: Tensor, roll: torch.Generator) -> Tensor:
    """Other light, colours and noise, and a plain thing before one picture in two."""
    count = len(images)
    rand = lambda *shape: torch.rand(count, *shape, generator=roll)  # noqa: E731
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (0.3 + 1.1 * rand(1, 1, 1))
    images = images * (0.6 + 0.8 * rand(1, 1, 1)) * (0.9 + 0.2 * rand(3, 1, 1)) + (rand(1, 1, 1) - 0.5) * 0.2
    images = images + torch.randn(images.shape, generator=roll) * 0.04 * rand(1, 1, 1)
    low, size = rand(2) * SIDE, rand(2) * 0.4 * SIDE * (rand() < 0.5)[:, None]
    pixel = torch.arange(SIDE) + 0.5
    inside = [(low[:, [axis]] < pixel) & (pixel < (low + size)[:, [axis]]) for axis in (0, 1)]
    patch = inside[1][:, None, :, None] & inside[0][:, None, None, :]
    return torch.where(patch, rand(3, 1, 1), images).clamp(0, 1)


def loss(found: tuple[Tensor, Tensor, Tensor], joints: Tensor, states: Tensor) -> Tensor:
    """Cross entropy with a normal distribution about each joint along both axes, and whether it is seen."""
    within = ((0 <= joints) & (joints < SIDE)).all(2)
    weights = torch.where(states == VISIBLE, 1.0, torch.where(states == HIDDEN, HIDDEN_WEIGHT, OUTSIDE_WEIGHT)) * within
    place = torch.arange(SIDE * SPLIT)
    total = 0.0
    for axis in (0, 1):
        apart = (place - joints[..., [axis]] * SPLIT) / LABEL_PLACES
        label = torch.softmax(-apart.square() / 2, 2)
        wrong = -(label * F.log_softmax(found[axis].float(), 2)).sum(2)
        total = total + (wrong * weights).sum() / weights.sum().clamp(min=1.0)
    return total + F.binary_cross_entropy_with_logits(found[2].float(), (states == VISIBLE).float())


def train(course: Course, people: People, minutes: float, path: Path) -> None:
    """Trains on everybody, moved and recoloured anew each time."""
    roll = torch.Generator().manual_seed(course.step)

    def one() -> tuple[Tensor, dict[str, float]]:
        rows = torch.multinomial(people.weights, BATCH, replacement=True, generator=roll)
        images, joints, states = moved(people, rows, roll)
        images = recoloured(images, roll).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            found = course.net(images)
        total = loss(found, joints, states)
        return total, {"loss": float(total.detach())}

    course.run(minutes, path, one)


@torch.no_grad()
def figures(net: Joints, people: People) -> str:
    """How far joints are off in pixels of the frame: median and 90 % of seen and of hidden ones, and of seen wrists."""
    off = []
    for rows in torch.arange(len(people.scales)).split(256):
        images, joints, _ = moved(people, rows, None)
        across, down, _ = net(images)
        found = torch.stack([across.argmax(2), down.argmax(2)], 2) / SPLIT
        off.append((found - joints).norm(dim=2) * people.scales[rows, None])
    off = torch.cat(off)
    within = ((people.joints.abs() < SIDE / 2).all(2)).float()
    wrists = torch.zeros(JOINTS, dtype=torch.bool)
    wrists[9:11] = True
    words = []
    for name, chosen in (
        ("seen", people.states == VISIBLE), ("hidden", people.states == HIDDEN), ("seen wrists", (people.states == VISIBLE) & wrists),
    ):
        values = off[chosen & (0 < within)]
        words.append(f"{name} {values.median():.1f} ({values.quantile(0.9):.1f})")
    return f"{len(people.scales)} people: " + ", ".join(words)


def main() -> None:
    parser = options(__doc__, 105.0)
    parser.add_argument("--shops", type=Path, default=SHOPS, help="the shops of aisle")
    parser.add_argument("--seeds", type=int, default=24, help="seeds that are trained on, each in four shops")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    path = args.footage / f"{NAME}.pt"
    course = Course(Joints(), "cpu", RATES, DECAY)
    if path.exists():
        course.load(path)
    if course.seconds < 60 * args.minutes:
        people = People([record(take, args.footage, args.aisle) for take in trained_on(args.shops, args.footage, args.seeds)])
        print(f"{len(people.scales)} people", flush=True)
        train(course, people, args.minutes, path)
    weights = args.out / f"{NAME}.onnx"
    export(Peaks(course.averaged()), (SIDE, SIDE), ["across", "down"], weights)
    write_manifest(weights, "The 17 joints of a person in a box, trained by models/training/joints.py.", "pose", MANIFEST)
    for name, take in held_out(args.shops, args.footage).items():
        print(f"{name}: {figures(course.average, People([record(take, args.footage, args.aisle)]))}", flush=True)


if __name__ == "__main__":
    main()
