"""Trains `aisle_hand`: is there a hand, does it hold something, and a vector that tells which good it is.

    python models/training/hands.py --aisle target/release/aisle --footage FOLDER --out models --minutes 60

What is held is compared with pictures of the catalogue, which go through the same network, so that a new product needs
pictures and no training. No product of the shops that aisle brings along is learned: they are what it is judged by."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import Residual, conv, export, write_manifest
from crops import PAD, coloured
from embedding import LENGTH, Pool, Sharpness, batch, contrast, scaled, train
from evaluate_hands import judge
from footage import HELD_OUT, HELD_OUT_SEEDS, Take, options, record
from goods import takes
from hands_data import COPIES, KEPT, RIM, SIDE, UNKNOWN, Goods, Hands, goods_of, hands_of, held, portrait

NAME = "aisle_hand"
# A shop that was not trained in, through cameras of more pixels.
LARGE = Take("convenience", HELD_OUT_SEEDS + 105, 90, 0.5, width=1280)
CHANNELS = 96
# The map of features has so many cells along each side.
CELLS = 16
# Goods of one step: so many runs of so many neighbours on a shelf, each with two squares and two pictures.
RUNS, NEIGHBOURS = 4, 8
# Squares of one step that teach what is a hand and whether it holds.
PLAIN = 48
# How much it counts that a vector looks at the good.
LOOK_WEIGHT = 0.3
# Squares by which the scores are made right.
CALIBRATED = 5000
# Squares that were really seen, where a good has been.
REAL_SHARE = 0.5
# Of fewer pixels nothing can be told: of the frame, and of a square that was made.
REAL_PIXELS_MIN, SHOWN_PIXELS_MIN = 60, 25


class HandNet(nn.Module):
    """Pictures of 0 to 255, batch x 3 x 64 x 64, to `scores`, batch x 2 (a hand is there; it holds something, 0 to 1),
    and `vector`, batch x 128, of length 1."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(conv(3, 24, 3, 2), conv(24, 48, 3, 2), Residual(48), Residual(48))
        self.coarse = nn.Sequential(conv(48, 128, 3, 2), *(Residual(128) for _ in range(3)), conv(128, CHANNELS, 1))
        self.across = conv(48, CHANNELS, 1)
        self.mixed = Residual(CHANNELS)
        self.pool = Pool(CHANNELS)
        self.narrow = nn.Sequential(conv(CHANNELS, 48, 3, 2), nn.Flatten())
        self.tell = nn.Sequential(nn.Linear(48 * (CELLS // 2) ** 2, 64), nn.ReLU(), nn.Linear(64, 2))

    def features(self, images: Tensor) -> Tensor:
        """Batch x channels x 16 x 16: fine ones that know what is around them."""
        fine = self.fine(scaled(images))
        return self.mixed(self.across(fine) + functional.interpolate(self.coarse(fine), scale_factor=2.0))

    def answers(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, vectors, and where each looked for its vector, batch x 256, of sum 1."""
        features = self.features(images)
        return self.tell(self.narrow(features)), self.pool(features), self.pool.places(features).mean(1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.tell(self.narrow(features)).sigmoid(), self.pool(features)


class Sampler:
    """Makes the pictures of one step."""

    def __init__(self, hands: Hands, goods: list[Goods], seed: int):
        self.hands, self.goods = hands, goods
        self.rng = np.random.default_rng(seed)
        inside = ((RIM < hands.palm) & (hands.palm < KEPT - RIM)).all(1)
        self.empty = np.flatnonzero((hands.holding == 0) & (hands.hand == 1) & inside)
        self.known = np.flatnonzero(hands.holding != UNKNOWN)
        self.full = np.flatnonzero(hands.holding == 1)
        self.by_sku: dict[str, list[int]] = {}
        for place in np.flatnonzero((hands.sku != "") & (REAL_PIXELS_MIN <= hands.held_pixels)):
            self.by_sku.setdefault(str(hands.sku[place]), []).append(place)
        self.seen = [[at for at, sku in enumerate(shop.skus) if sku in self.by_sku] for shop in goods]

    def square(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """A square, moved by chance, and by how much."""
        corner = self.rng.integers(0, 2 * RIM + 1, 2)
        x, y = corner
        return self.hands.pictures[place, y : y + SIDE, x : x + SIDE], corner

    def run(self) -> tuple[int, list[int]]:
        """A shop and neighbours on its shelves; every other one around a good that somebody was seen to hold."""
        shop = int(self.rng.integers(len(self.goods)))
        count = len(self.goods[shop].skus)
        first = int(self.rng.integers(count - NEIGHBOURS))
        if self.seen[shop] and self.rng.random() < 0.5:
            first = int(np.clip(self.rng.choice(self.seen[shop]) - NEIGHBOURS // 2, 0, count - NEIGHBOURS))
        return shop, list(range(first, first + NEIGHBOURS))

    def held(self, shop: int, good: int) -> tuple[np.ndarray, np.ndarray]:
        """A square with a good in a hand, seen or made, and how much of each pixel shows it; nothing where nobody knows."""
        places = self.by_sku.get(self.goods[shop].skus[good])
        if places and self.rng.random() < REAL_SHARE:
            place = self.rng.choice(places)
            square, corner = self.square(place)
            shown = np.zeros((SIDE, SIDE))
            box = self.hands.box[place] - np.tile(corner, 2)
            if not np.isnan(box).any():
                left, top, right, bottom = box.round().clip(0, SIDE).astype(int)
                shown[top:bottom, left:right] = 1.0
            return square, shown
        while True:
            place = self.rng.choice(self.empty)
            square, corner = self.square(place)
            view = int(self.rng.integers(self.goods[shop].pictures.shape[1]))
            picture = self.goods[shop].pictures[good, view]
            made, shown = held(square.astype(np.float32), self.hands.palm[place] - corner, picture, self.rng)
            if SHOWN_PIXELS_MIN <= shown.sum():
                return made, shown

    def goods_step(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Squares and pictures, the numbers of the goods that both show, in the same order, and where all show them."""
        squares, pictures, numbers = [], [], []
        for _ in range(RUNS):
            shop, run = self.run()
            for good in run:
                for _ in range(2):
                    squares.append(self.held(shop, good))
                    view = int(self.rng.integers(self.goods[shop].pictures.shape[1]))
                    pictures.append(portrait(self.goods[shop].pictures[good, view], self.rng))
                    numbers.append(shop * 10_000 + good)
        shown = np.stack([shown for _, shown in squares + pictures])
        cell = SIDE // CELLS
        shown = shown.reshape(-1, CELLS, cell, CELLS, cell).mean((2, 4)).reshape(-1, CELLS * CELLS)
        return *(np.stack([image for image, _ in side]) for side in (squares, pictures)), np.array(numbers), shown

    def plain_step(self) -> tuple[np.ndarray, np.ndarray]:
        """Squares with and without hands and goods: a third holds something."""
        places = np.concatenate([self.rng.choice(self.known, PLAIN * 2 // 3), self.rng.choice(self.full, PLAIN // 3)])
        squares = np.stack([self.square(place)[0] for place in places])
        flip = self.rng.random(len(squares)) < 0.5
        squares[flip] = squares[flip, :, ::-1]
        return squares, np.stack([self.hands.hand[places], self.hands.holding[places]], 1)


def losses(net: HandNet, sharpness: Sharpness, sampler: Sampler) -> Tensor:
    """The sum of what is wrong with vectors, with where they look, and with scores."""
    squares, pictures, numbers, shown = sampler.goods_step()
    plain, known = sampler.plain_step()
    images = [coloured(squares, sampler.rng, 0.6), coloured(pictures, sampler.rng, 0.3), coloured(plain, sampler.rng)]
    logits, vector, looked = net.answers(batch(np.concatenate(images)).to(memory_format=torch.channels_last))
    count = len(numbers)
    alike = torch.from_numpy((numbers[:, None] == numbers[None]).astype(np.float32))
    squares, pictures = vector[:count], vector[count : 2 * count]
    told = contrast(squares, pictures, alike, sharpness())
    told = told + 0.5 * contrast(pictures, pictures, alike.clone().fill_diagonal_(float("nan")), sharpness())
    shown = torch.from_numpy(shown).float()
    total = shown.sum(1)
    seen = 0.5 < total
    beside = -(shown * looked[: 2 * count].float().clamp(min=1e-6).log()).sum(1)[seen] / total[seen]
    scores = functional.binary_cross_entropy_with_logits(logits[2 * count :].float(), torch.from_numpy(known).float())
    return told + LOOK_WEIGHT * beside.mean() + 2.0 * scores


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
    parser = options(__doc__, 60)
    parser.add_argument("--shops", type=int, default=14, help="shops of other goods to train on")
    args = parser.parse_args()
    shops, wanted = takes(args.shops, args.footage)
    goods = [goods_of(shop, args.footage, args.aisle) for shop in shops]
    hands = joined([squares_of(record(take, args.footage, args.aisle)) for take in wanted])
    print(f"{len(hands.hand)} squares, {np.sum(hands.holding == 1)} hold something, {sum(len(g.skus) for g in goods)} goods")
    torch.manual_seed(1)
    net, sharpness = HandNet().to(memory_format=torch.channels_last), Sharpness()
    sampler = Sampler(hands, goods, seed=1)
    train(nn.ModuleList([net, sharpness]), args.minutes, lambda: losses(net, sharpness, sampler))
    calibrate(net, hands, np.random.default_rng(2))
    judged = [
        (take.shop, squares_of(record(take, args.footage, args.aisle)), goods_of(take.shop, args.footage, args.aisle))
        for take in (*HELD_OUT, LARGE)
    ]
    temperature = 1.0 / judge(net, judged)
    publish(net, temperature, args.out)


if __name__ == "__main__":
    main()
