"""Trains `aisle_hand`: is there a hand, does it hold something, and a vector that tells which good it is.

    python models/training/hands.py --aisle target/release/aisle --footage FOLDER --out models --minutes 45

It goes on from what appearance.py left in the folder of the footage.
What is held is compared with pictures of the catalogue, which go through the same network, so that a new product needs
pictures and no training. No product of the shops that aisle brings along is learned: they are what it is judged by."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import conv, export, write_manifest
from crops import PAD, coloured
from embedding import LENGTH, Pool, Sharpness, Trunk, batch, contrast, scaled, train
from evaluate_hands import judge
from footage import HELD_OUT, HELD_OUT_SEEDS, Take, lying, options, record
from goods import takes
from hands_data import COPIES, RIM, SIDE, UNKNOWN, Goods, Hands, goods_of, hands_of, held, portrait

NAME = "aisle_hand"
# A shop that was not trained in, through cameras of more pixels.
LARGE = Take("convenience", HELD_OUT_SEEDS + 105, 90, 0.5, width=1280)
CHANNELS = 96
# Goods of one step: so many runs of so many neighbours on a shelf, each with two squares and two pictures.
RUNS, NEIGHBOURS = 4, 8
# Squares of one step that teach what is a hand and whether it holds.
PLAIN = 48
# Steps of goods from which the first matrix is made.
BEGIN_STEPS = 60
# Squares by which the scores are made right.
CALIBRATED = 5000
# Squares that were really seen, where a good has been.
REAL_SHARE = 0.5
# Of fewer pixels nothing can be told.
REAL_PIXELS_MIN = 80
# Sides of the pictures that are laid over hands, in squares: at least, in the beginning and in the end, and at most.
FILL = (0.75, 0.3, 1.1)


class HandNet(nn.Module):
    """Pictures of 0 to 255, batch x 3 x 64 x 64, to `scores`, batch x 2 (a hand is there; it holds something, 0 to 1),
    and `vector`, batch x 128, of length 1."""

    def __init__(self):
        super().__init__()
        self.trunk, self.pool = Trunk(CHANNELS), Pool(CHANNELS, middle=True)
        self.narrow = conv(CHANNELS, 96, 3, 2)
        self.tell = nn.Sequential(nn.Linear(96 * 16, 64), nn.ReLU(), nn.Linear(64, 2))

    def answers(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and vectors."""
        features = self.trunk(scaled(images))
        return self.tell(self.narrow(features).flatten(1)), self.pool(features)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits, vector = self.answers(images)
        return logits.sigmoid(), vector


class Sampler:
    """Makes the pictures of one step."""

    def __init__(self, hands: Hands, goods: list[Goods], seed: int):
        self.hands, self.goods = hands, goods
        self.rng = np.random.default_rng(seed)
        self.empty = np.flatnonzero((hands.holding == 0) & (hands.hand == 1))
        self.known = np.flatnonzero(hands.holding != UNKNOWN)
        self.full = np.flatnonzero(hands.holding == 1)
        self.by_sku: dict[str, list[int]] = {}
        for place in np.flatnonzero((hands.sku != "") & (REAL_PIXELS_MIN <= hands.held_pixels)):
            self.by_sku.setdefault(str(hands.sku[place]), []).append(place)
        self.seen = [[at for at, sku in enumerate(shop.skus) if sku in self.by_sku] for shop in goods]

    def square(self, place: int) -> np.ndarray:
        """A square, moved and mirrored by chance."""
        x, y = self.rng.integers(0, 2 * RIM + 1, 2)
        return self.hands.pictures[place, y : y + SIDE, x : x + SIDE]

    def run(self) -> tuple[int, list[int]]:
        """A shop and neighbours on its shelves; every other one around a good that somebody was seen to hold."""
        shop = int(self.rng.integers(len(self.goods)))
        count = len(self.goods[shop].skus)
        first = int(self.rng.integers(count - NEIGHBOURS))
        if self.seen[shop] and self.rng.random() < 0.5:
            first = int(np.clip(self.rng.choice(self.seen[shop]) - NEIGHBOURS // 2, 0, count - NEIGHBOURS))
        return shop, list(range(first, first + NEIGHBOURS))

    def held(self, shop: int, good: int, share: float) -> np.ndarray:
        """A square with a good in a hand, seen or made; the longer the training goes on, the smaller the goods."""
        places = self.by_sku.get(self.goods[shop].skus[good])
        if places and self.rng.random() < REAL_SHARE:
            return self.square(self.rng.choice(places))
        of = self.goods[shop]
        view = int(self.rng.integers(of.pictures.shape[1]))
        empty = self.square(self.rng.choice(self.empty)).astype(np.float32)
        fill = self.rng.uniform(FILL[0] + (FILL[1] - FILL[0]) * share, FILL[2])
        return held(empty, of.pictures[good, view], of.cutout(good, view), fill, self.rng)

    def goods_step(self, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Squares, pictures, and the numbers of the goods that both show, in the same order."""
        squares, pictures, numbers = [], [], []
        for _ in range(RUNS):
            shop, run = self.run()
            for good in run:
                for _ in range(2):
                    squares.append(self.held(shop, good, share))
                    view = int(self.rng.integers(self.goods[shop].pictures.shape[1]))
                    pictures.append(portrait(self.goods[shop].pictures[good, view], self.rng))
                    numbers.append(shop * 10_000 + good)
        return np.stack(squares), np.stack(pictures), np.array(numbers)

    def plain_step(self) -> tuple[np.ndarray, np.ndarray]:
        """Squares with and without hands and goods: a third holds something."""
        places = np.concatenate([self.rng.choice(self.known, PLAIN * 2 // 3), self.rng.choice(self.full, PLAIN // 3)])
        squares = np.stack([self.square(place) for place in places])
        flip = self.rng.random(len(squares)) < 0.5
        squares[flip] = squares[flip, :, ::-1]
        return squares, np.stack([self.hands.hand[places], self.hands.holding[places]], 1)


def losses(net: HandNet, sharpness: Sharpness, sampler: Sampler, share: float) -> Tensor:
    """The sum of what is wrong with vectors and with scores."""
    squares, pictures, numbers = sampler.goods_step(share)
    plain, known = sampler.plain_step()
    images = [coloured(squares, sampler.rng, 0.6), coloured(pictures, sampler.rng, 0.3), coloured(plain, sampler.rng)]
    logits, vector = net.answers(batch(np.concatenate(images)).to(memory_format=torch.channels_last))
    count = len(numbers)
    alike = torch.from_numpy((numbers[:, None] == numbers[None]).astype(np.float32))
    squares, pictures = vector[:count], vector[count : 2 * count]
    told = contrast(squares, pictures, alike, sharpness())
    told = told + 0.5 * contrast(pictures, pictures, alike.clone().fill_diagonal_(float("nan")), sharpness())
    scores = functional.binary_cross_entropy_with_logits(logits[2 * count :].float(), torch.from_numpy(known).float())
    return told + 2.0 * scores


@torch.no_grad()
def begin(net: HandNet, appearance: Path, sampler: Sampler) -> None:
    """Begins where the network for appearance has come to: colours and patterns are what tells both people and goods."""
    weights = torch.load(appearance)
    net.trunk.load_state_dict({name.removeprefix("trunk."): part for name, part in weights.items() if "trunk." in name})
    net.pool.where.weight.mul_(0.1)
    net.pool.where.bias.zero_()
    net.eval()
    glances: list[list[Tensor]] = [[], []]
    who = []
    for _ in range(BEGIN_STEPS):
        *images, numbers = sampler.goods_step(0.6)
        for side, part in zip(glances, images):
            side.append(net.pool.glances(net.trunk(scaled(batch(part)))))
        who.append(numbers)
    net.pool.begin(*(torch.cat(side).double().numpy() for side in glances), np.concatenate(who))


@torch.no_grad()
def calibrate(net: HandNet, hands: Hands, rng: np.random.Generator) -> None:
    """Makes scores as sure as they are right where hands hold as seldom as in footage: training shows more that do. A
    line through each logit is fitted to some squares (Platt, 1999) and worked into the last matrix."""
    net.eval()
    places = rng.choice(len(hands.hand), min(len(hands.hand), CALIBRATED), replace=False)
    middle = slice(RIM, RIM + SIDE)
    parts = np.array_split(hands.pictures[places, middle, middle], CALIBRATED // 250)
    logits = torch.cat([net.answers(batch(part))[0] for part in parts])
    last = net.tell[-1]
    for place, truth in enumerate((hands.hand, hands.holding)):
        known = torch.from_numpy(truth[places] != UNKNOWN)
        right = torch.from_numpy(truth[places]).float()[known]
        # What is held stands in the data as often as it was cut.
        count = torch.from_numpy(np.where(hands.holding[places] == 1, 1 / COPIES, 1.0)).float()[known]
        line = torch.tensor([1.0, 0.0])
        for _ in range(30):
            # Newton's method.
            rows = torch.stack([logits[known, place], torch.ones_like(right)], 1)
            said = (rows @ line).sigmoid()
            slope = rows.T @ (count * (said - right))
            bend = rows.T @ (rows * (count * said * (1 - said))[:, None]) + 1e-3 * torch.eye(2)
            line = line - torch.linalg.solve(bend, slope)
        last.weight[place] *= line[0]
        last.bias[place] = line[0] * last.bias[place] + line[1]


def joined(parts: list[Hands]) -> Hands:
    """The squares of all recordings together."""
    return Hands(*(np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])))


def squares_of(recording: Path) -> Hands:
    """The squares of a recording, cut once and kept beside it."""
    kept = recording.with_suffix(".hands.npz")
    if not kept.exists():
        np.savez(kept, **vars(hands_of(recording, np.random.default_rng(1))))
    return Hands(**np.load(kept))


def publish(net: HandNet, temperature: float, folder: Path) -> None:
    """Writes the network and its manifest."""
    weights = folder / f"{NAME}.onnx"
    export(net, (SIDE, SIDE), ["scores", "vector"], weights)
    write_manifest(weights, "Hands and what they hold, trained by models/training/hands.py.", "held_product", f"""
[input]
width = {SIDE}
height = {SIDE}
colour = "rgb"
region = "box"
pad = {PAD}

[decoder]
kind = "held_product"
length = {LENGTH}
temperature = {temperature:.4f}
""")


def main() -> None:
    parser = options(__doc__, 45)
    parser.add_argument("--shops", type=int, default=24, help="shops of other goods to train on")
    args = parser.parse_args()
    shops, wanted = takes(args.shops, args.footage)
    goods = [goods_of(shop, args.footage, args.aisle) for shop in shops]
    for take in wanted:
        record(take, args.footage, args.aisle)
    hands = joined([squares_of(path) for path, seed in lying(args.footage) if seed < HELD_OUT_SEEDS])
    print(f"{len(hands.hand)} squares, {np.sum(hands.holding == 1)} hold something, {sum(len(g.skus) for g in goods)} goods")
    torch.manual_seed(1)
    net, sharpness = HandNet().to(memory_format=torch.channels_last), Sharpness()
    sampler = Sampler(hands, goods, seed=1)
    begin(net, args.footage / "aisle_appearance.pt", sampler)
    train(nn.ModuleList([net, sharpness]), args.minutes, lambda share: losses(net, sharpness, sampler, share))
    calibrate(net, hands, np.random.default_rng(2))
    torch.save(net.state_dict(), args.footage / f"{NAME}.pt")
    judged = [
        (take.shop, squares_of(record(take, args.footage, args.aisle)), goods_of(take.shop, args.footage, args.aisle))
        for take in (*HELD_OUT, LARGE)
    ]
    temperature = 1.0 / judge(net, judged)
    publish(net, temperature, args.out)


if __name__ == "__main__":
    main()
