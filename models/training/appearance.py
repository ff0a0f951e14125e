"""Trains `aisle_appearance`: a vector that tells people apart by what they wear.

    python models/training/appearance.py --aisle target/release/aisle --footage FOLDER --out models --minutes 15

The same visit looks alike from all cameras and at all times; every other visit is somebody else."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from blocks import export, write_manifest
from crops import PAD, coloured, cut
from embedding import LENGTH, Embedder, Sharpness, batch, contrast, train, vectors
from footage import HELD_OUT, HELD_OUT_SEEDS, lying, options, record, shots
from goods import takes

NAME = "aisle_appearance"
WIDTH, HEIGHT = 64, 128
# Who is seen less than this, or smaller, is not looked at.
SHARE_MIN = 0.3
HEIGHT_PIXELS_MIN = 32
# How far the edges of a detector's boxes are off, as a share of the box, standard deviation.
BOX_NOISE = 0.04
# Of one step: so many recordings, so many visits of each, so many views of each.
RECORDINGS, VISITS, VIEWS = 3, 8, 4


@dataclass
class People:
    """Boxes around people of one recording; by box a number."""

    pictures: np.ndarray
    visit: np.ndarray
    camera: np.ndarray
    secs: np.ndarray
    share: np.ndarray


def people_of(recording: Path, rng: np.random.Generator, copies: int = 1) -> People:
    """All people of a recording who are seen well enough."""
    rows = []
    for shot in shots(recording):
        boxes = [
            (body, body["visible_bounds"]) for body in shot.truth["people"]
            if body["visible_bounds"] and SHARE_MIN < body["visible_share"]
            and HEIGHT_PIXELS_MIN <= body["visible_bounds"]["bottom"] - body["visible_bounds"]["top"]
        ]
        picture = np.ascontiguousarray(shot.picture()) if boxes else None
        for body, box in boxes * copies:
            edges = np.array([box["left"], box["top"], box["right"], box["bottom"]])
            wide, high = edges[2] - edges[0], edges[3] - edges[1]
            left, top, right, bottom = edges + rng.normal(0, BOX_NOISE, 4) * [wide, high, wide, high]
            part = cut(picture, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top, (WIDTH, HEIGHT))
            rows.append((part, body["visit"], shot.truth["camera"], shot.truth["at"] / 1e9, body["visible_share"]))
    return People(*(np.array(column) for column in zip(*rows)))


def kept(recording: Path) -> People:
    """The people of a recording, cut once and kept beside it."""
    path = recording.with_suffix(".people.npz")
    if not path.exists():
        np.savez(path, **vars(people_of(recording, np.random.default_rng(1))))
    return People(**np.load(path))


def hidden(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some pictures with a part covered (random erasing; Zhong et al., 2020), half of all mirrored."""
    for picture in pictures:
        if rng.random() < 0.5:
            picture[:] = picture[:, ::-1]
        if rng.random() < 0.4:
            high, wide = int(rng.uniform(0.1, 0.5) * HEIGHT), int(rng.uniform(0.3, 1.0) * WIDTH)
            top, left = int(rng.integers(0, HEIGHT - high + 1)), int(rng.integers(0, WIDTH - wide + 1))
            picture[top : top + high, left : left + wide] = rng.integers(0, 256, 3)
    return pictures


class Sampler:
    """Makes the pictures of one step."""

    def __init__(self, recordings: list[People], seeds: list[int]):
        self.rng = np.random.default_rng(1)
        self.recordings = recordings
        # The same seed dresses people alike in every shop.
        self.seeds = np.array(seeds)
        self.visits = [{v: np.flatnonzero(p.visit == v) for v in np.unique(p.visit)} for p in recordings]
        self.visits = [{v: places for v, places in each.items() if VIEWS <= len(places)} for each in self.visits]

    def step(self) -> tuple[np.ndarray, np.ndarray]:
        """Pictures and who they show."""
        pictures, who = [], []
        for seed in self.rng.choice(np.unique(self.seeds), RECORDINGS, replace=False):
            number = self.rng.choice(np.flatnonzero(self.seeds == seed))
            of, visits = self.recordings[number], self.visits[number]
            names = list(visits)
            for visit in self.rng.permutation(len(names))[:VISITS]:
                places = self.rng.choice(visits[names[visit]], VIEWS, replace=False)
                pictures.append(of.pictures[places])
                who += [number * 1000 + visit] * VIEWS
        return hidden(np.concatenate(pictures), self.rng), np.array(who)


def loss(net: Embedder, sharpness: Sharpness, sampler: Sampler) -> Tensor:
    """How badly the views of one step are told apart."""
    pictures, who = sampler.step()
    vector = net(batch(coloured(pictures, sampler.rng, 0.6)).to(memory_format=torch.channels_last))
    alike = torch.from_numpy((who[:, None] == who[None]).astype(np.float32)).fill_diagonal_(float("nan"))
    return contrast(vector, vector, alike, sharpness())


def judge(net: Embedder, recordings: list[People]) -> None:
    """Prints how well people of held-out recordings are found again by other cameras, and how alike two views of one visit
    and of two visits of one trip are."""
    same_all, other_all, ranks, precisions = [], [], [], []
    for people in recordings:
        vector = vectors(net, people.pictures)
        cosine = vector @ vector.T
        same = people.visit[:, None] == people.visit[None]
        apart = (people.camera[:, None] != people.camera[None]) | (2.0 < np.abs(people.secs[:, None] - people.secs[None]))
        upper = np.triu(np.ones_like(same), 1)
        same_all.append(cosine[same & apart & upper])
        other_all.append(cosine[~same & upper])
        elsewhere = people.camera[:, None] != people.camera[None]
        for row in range(len(cosine)):
            order = np.argsort(-cosine[row][elsewhere[row]])
            right = same[row][elsewhere[row]][order]
            if right.any():
                ranks.append(right[0])
                hits = np.flatnonzero(right)
                precisions.append(np.mean((np.arange(len(hits)) + 1) / (hits + 1)))
    same_all, other_all = np.concatenate(same_all), np.concatenate(other_all)
    print(f"{len(ranks)} views: rank-1 {np.mean(ranks):.3f}, mAP {np.mean(precisions):.3f} across cameras")
    print(f"one visit {same_all.mean():.3f} +- {same_all.std():.3f}, two {other_all.mean():.3f} +- {other_all.std():.3f}")
    threshold = np.sort(np.concatenate([same_all, other_all]))
    missed = np.searchsorted(np.sort(same_all), threshold) / len(same_all)
    passed = 1 - np.searchsorted(np.sort(other_all), threshold) / len(other_all)
    print(f"equal error rate {missed[np.argmin(np.abs(missed - passed))]:.3f}")


def publish(net: Embedder, folder: Path) -> None:
    """Writes the network and its manifest."""
    weights = folder / f"{NAME}.onnx"
    export(net, (HEIGHT, WIDTH), ["vector"], weights)
    write_manifest(weights, "Tells people apart by what they wear, trained by models/training/appearance.py.", "appearance", f"""
[input]
width = {WIDTH}
height = {HEIGHT}
colour = "rgb"
region = "box"
pad = {PAD}

[decoder]
kind = "embedding"
length = {LENGTH}
""")


def main() -> None:
    parser = options(__doc__, 12)
    parser.add_argument("--shops", type=int, default=14, help="shops of other goods to train on")
    args = parser.parse_args()
    for take in takes(args.shops, args.footage)[1]:
        record(take, args.footage, args.aisle)
    wanted = [(path, seed) for path, seed in lying(args.footage) if seed < HELD_OUT_SEEDS]
    recordings = [kept(path) for path, _ in wanted]
    print(f"{sum(len(each.visit) for each in recordings)} views of {sum(len(set(each.visit)) for each in recordings)} visits")
    torch.manual_seed(1)
    net, sharpness = Embedder().to(memory_format=torch.channels_last), Sharpness()
    sampler = Sampler(recordings, [seed for _, seed in wanted])
    train(nn.ModuleList([net, sharpness]), args.minutes, lambda: loss(net, sharpness, sampler))
    judge(net, [kept(record(take, args.footage, args.aisle)) for take in HELD_OUT])
    publish(net, args.out)


if __name__ == "__main__":
    main()
