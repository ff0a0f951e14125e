"""Trains `aisle_face_embedding`: a vector that tells faces apart.

    python models/training/face_embedding.py --aisle target/release/aisle --footage FOLDER --out models --minutes 8

Faces are turned upright by their five points, as the engine does it."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from blocks import export, write_manifest
from crops import coloured
from embedding import LENGTH, Embedder, Sharpness, batch, contrast, train, vectors
from faces import takes
from faces_data import SIDE, identities_of
from footage import HELD_OUT, options, record

NAME = "aisle_face_embedding"
CHANNELS = 64
# Of one step: so many visits, so many views of each.
VISITS, VIEWS = 24, 4


def step(pictures: np.ndarray, visits: dict[str, np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and whose they are, every other one mirrored with all of its visit: a mirrored face is another one."""
    names = rng.permutation(sorted(visits))[:VISITS]
    chosen = np.concatenate([pictures[rng.choice(visits[name], VIEWS)] for name in names])
    mirrored = np.repeat(rng.random(len(names)) < 0.5, VIEWS)
    chosen[mirrored] = chosen[mirrored, :, ::-1]
    return chosen, np.repeat(np.arange(len(names)), VIEWS)


def loss(net: Embedder, sharpness: Sharpness, pictures: np.ndarray, who: np.ndarray, rng: np.random.Generator) -> Tensor:
    """How badly the views of one step are told apart."""
    vector = net(batch(coloured(pictures, rng, 0.8)).to(memory_format=torch.channels_last))
    alike = torch.from_numpy((who[:, None] == who[None]).astype(np.float32)).fill_diagonal_(float("nan"))
    return contrast(vector, vector, alike, sharpness())


def judge(net: Embedder, pictures: np.ndarray, visits: np.ndarray, widths: np.ndarray) -> None:
    """Prints cosines of one face and of two, and how a threshold divides them."""
    vector = vectors(net, pictures)
    cosine, upper = vector @ vector.T, np.triu(np.ones((len(vector),) * 2, bool), 1)
    same = visits[:, None] == visits[None]
    one, two = cosine[same & upper], cosine[~same & upper]
    print(f"{len(vector)} views of {len(set(visits))} faces, {np.median(widths):.0f} pixels wide in the median")
    print(f"one face {one.mean():.3f} +- {one.std():.3f}, two {two.mean():.3f} +- {two.std():.3f}")
    for threshold in (0.3, 0.5, 0.7):
        print(f"  above {threshold}: {np.mean(threshold < one):.3f} of one face, {np.mean(threshold < two):.3f} of two")


def publish(net: Embedder, folder: Path) -> None:
    """Writes the network and its manifest."""
    weights = folder / f"{NAME}.onnx"
    export(net, (SIDE, SIDE), ["vector"], weights)
    write_manifest(weights, "Tells drawn faces apart, trained by models/training/face_embedding.py.", "face_embedding", f"""
[input]
width = {SIDE}
height = {SIDE}
colour = "rgb"
region = "face_points"

[decoder]
kind = "embedding"
length = {LENGTH}
""")


def main() -> None:
    parser = options(__doc__, 8)
    parser.add_argument("--shops", type=int, default=12, help="shops of other goods to train on")
    args = parser.parse_args()
    rng = np.random.default_rng(1)

    def read(wanted: list) -> list[np.ndarray]:
        parts = [identities_of(record(take, args.footage, args.aisle), rng) for take in wanted]
        return [np.concatenate(column) for column in zip(*parts)]

    pictures, who, _ = read(takes(args.shops, args.footage))
    visits = {name: np.flatnonzero(who == name) for name in np.unique(who)}
    visits = {name: places for name, places in visits.items() if VIEWS <= len(places)}
    print(f"{len(pictures)} views of {len(visits)} faces")
    torch.manual_seed(1)
    net, sharpness = Embedder(CHANNELS).to(memory_format=torch.channels_last), Sharpness()
    parts = nn.ModuleList([net, sharpness])
    train(parts, args.minutes, lambda: loss(net, sharpness, *step(pictures, visits, rng), rng))
    judge(net, *read(HELD_OUT))
    publish(net, args.out)


if __name__ == "__main__":
    main()
