"""Judges the network for hands and products on shops whose goods it never saw in training."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import nn

from embedding import batch
from hands_data import RIM, SIDE, UNKNOWN, Goods, Hands

# Goods that a shelf or two offer at once.
NEIGHBOURS = 8
# Pixels that show what is held, and sides of squares: from, to.
SIZES_PIXELS = ((0, 60), (60, 120), (120, 250), (250, 500), (500, 100_000))
SIDES_PIXELS = ((0, 32), (32, 48), (48, 72), (72, 110), (110, 10_000))
SHARPNESSES = np.geomspace(1.0, 80.0, 60)


@dataclass
class Answers:
    """What the network says of the squares and goods of one shop."""

    scores: np.ndarray
    # Squares x goods: the cosine with the picture of the good that is most like the square.
    alike: np.ndarray
    # By square the place of its good among the shop's, -1 for none.
    good: np.ndarray
    hands: Hands


@torch.no_grad()
def answers_of(net: nn.Module, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and vectors."""
    net.eval()
    parts = [net(batch(part)) for part in np.array_split(pictures, max(1, len(pictures) // 256))]
    return tuple(torch.cat([part[place] for part in parts]).numpy() for place in (0, 1))


def portraits(goods: Goods) -> np.ndarray:
    """The pictures of a catalogue as the network takes them, goods x views x side x side x 3."""
    flat = goods.pictures.reshape(-1, *goods.pictures.shape[2:])
    small = np.stack([cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in flat])
    return small.reshape(*goods.pictures.shape[:2], SIDE, SIDE, 3)


def answers(net: nn.Module, hands: Hands, goods: Goods) -> Answers:
    """What the network says of one shop."""
    middle = slice(RIM, RIM + SIDE)
    scores, vector = answers_of(net, hands.pictures[:, middle, middle])
    catalogue = portraits(goods)
    _, known = answers_of(net, catalogue.reshape(-1, SIDE, SIDE, 3))
    alike = (vector @ known.T).reshape(len(vector), *catalogue.shape[:2]).max(2)
    place = {sku: at for at, sku in enumerate(goods.skus)}
    return Answers(scores, alike, np.array([place.get(str(sku), UNKNOWN) for sku in hands.sku]), hands)


def neighbours(good: int, count: int) -> np.ndarray:
    """The goods that stand around one, with it."""
    first = int(np.clip(good - NEIGHBOURS // 2, 0, max(count - NEIGHBOURS, 0)))
    return np.arange(first, min(first + NEIGHBOURS, count))


def ranks(found: Answers, near: bool) -> tuple[np.ndarray, np.ndarray]:
    """Squares that hold a known good, and how many goods of the catalogue, or of the neighbours, are more alike."""
    rows = np.flatnonzero(found.good != UNKNOWN)
    count = found.alike.shape[1]

    def rank(row: int) -> int:
        among = neighbours(found.good[row], count) if near else np.arange(count)
        return int(np.sum(found.alike[row, found.good[row]] < found.alike[row, among]))

    return rows, np.array([rank(row) for row in rows])


def surprise(found: list[Answers], sharpness: float) -> float:
    """Mean negative logarithm of the probability that is given to the right one of the neighbours."""
    costs = []
    for answer in found:
        for row in np.flatnonzero(answer.good != UNKNOWN):
            logits = sharpness * answer.alike[row, neighbours(answer.good[row], answer.alike.shape[1])]
            costs.append(np.logaddexp.reduce(logits) - sharpness * answer.alike[row, answer.good[row]])
    return float(np.mean(costs))


def tell_scores(name: str, score: np.ndarray, truth: np.ndarray) -> None:
    """Prints how often a yes or no is right, and whether it is as sure as it is right (expected calibration error)."""
    said = 0.5 <= score
    bins = np.clip((score * 10).astype(int), 0, 9)
    error = sum(
        np.mean(bins == place) * abs(score[bins == place].mean() - truth[bins == place].mean())
        for place in range(10) if np.any(bins == place)
    )
    order = np.argsort(score)
    place = np.empty(len(score))
    place[order] = np.arange(len(score))
    positive = truth == 1
    area = (place[positive].mean() - (positive.sum() - 1) / 2) / max(np.sum(~positive), 1)
    print(
        f"  {name}: right {np.mean(said == positive):.3f}, of yes {np.mean(positive[said]):.3f}, of those there "
        f"{np.mean(said[positive]):.3f}, area {area:.3f}, calibration error {error:.3f} ({len(score)}, {positive.sum()} yes)"
    )


def tell_ranks(what: str, rank: np.ndarray, size: np.ndarray, sizes: tuple[tuple[int, int], ...]) -> None:
    """Prints rank-1 and rank-5 by size."""
    for low, high in sizes:
        fits = (low <= size) & (size < high)
        if fits.any():
            print(f"    {low} to {high} {what}: {np.mean(rank[fits] == 0):.3f}, {np.mean(rank[fits] < 5):.3f} ({fits.sum()})")


def judge(net: nn.Module, shops: list[tuple[str, Hands, Goods]]) -> float:
    """Prints figures by shop and size; gives the sharpness at which the softmax over neighbours is calibrated best."""
    found = []
    for name, hands, goods in shops:
        answer = answers(net, hands, goods)
        found.append(answer)
        print(f"{name}: {len(goods.skus)} goods")
        tell_scores("hand", answer.scores[:, 0], hands.hand)
        known = (hands.holding != UNKNOWN) & (hands.hand == 1)
        tell_scores("holding", answer.scores[known, 1], hands.holding[known])
        for near, among in ((False, "of all"), (True, f"of {NEIGHBOURS} neighbours")):
            rows, rank = ranks(answer, near)
            print(f"  {among}: rank-1 {np.mean(rank == 0):.3f}, rank-5 {np.mean(rank < 5):.3f} ({len(rows)})")
            tell_ranks("pixels", rank, hands.held_pixels[rows], SIZES_PIXELS)
            tell_ranks("pixels of side", rank, hands.side_pixels[rows], SIDES_PIXELS)
    best = min(SHARPNESSES, key=lambda sharpness: surprise(found, sharpness))
    print(f"sharpness {best:.1f}: surprise {surprise(found, best):.3f}, of chance {np.log(NEIGHBOURS):.3f}")
    return float(best)
