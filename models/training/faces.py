"""Trains `aisle_faces`, which finds faces with five points in a frame.

    python models/training/faces.py --aisle target/release/aisle --footage FOLDER --out models --minutes 10

Its outputs are those of YuNet (Wu et al., 2023), for strides of 8 and 16 pixels."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import Residual, conv, export, write_manifest
from crops import coloured
from embedding import batch, scaled, train
from faces_data import FACE_PIXELS_MIN, HEIGHT, WIDTH, Face, frames_of
from footage import HELD_OUT, Take, options, record
from goods import invented

NAME = "aisle_faces"
STRIDES = (8, 16)
# Faces wider than this belong to the coarser grid.
WIDE_PIXELS = 36.0
# Training looks at tiles of frames, so many a step.
TILE, TILES = 224, 12


class FaceNet(nn.Module):
    """Pictures of 0 to 255, batch x 3 x height x width, to the outputs of YuNet: for every stride
    classes, then objects, boxes and points, each batch x cells x width."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(conv(3, 16, 3, 2), conv(16, 24, 3, 2), conv(24, 48, 3, 2), Residual(48), Residual(48))
        self.coarse = nn.Sequential(conv(48, 64, 3, 2), Residual(64), Residual(64))
        self.heads = nn.ModuleList(
            nn.Sequential(conv(channels, 48), nn.Conv2d(48, 15, 1)) for channels in (48, 64)
        )
        for head in self.heads:
            nn.init.constant_(head[1].bias[:1], -4.0)

    def maps(self, images: Tensor) -> list[Tensor]:
        """For every stride batch x 15 x rows x columns: a logit, box and points."""
        fine = self.fine(scaled(images))
        return [head(features).float() for head, features in zip(self.heads, (fine, self.coarse(fine)))]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        rows = [each.flatten(2).transpose(1, 2) for each in self.maps(images)]
        score = [each[..., :1].sigmoid() for each in rows]
        return (*score, *(each.clone() for each in score), *(each[..., 1:5] for each in rows), *(each[..., 5:] for each in rows))


def targets(faces: list[list[Face]], size: tuple[int, int], stride: int) -> tuple[Tensor, Tensor]:
    """What a grid should say, 15 x rows x columns, and what each cell's score counts; 0 around faces that are hardly seen."""
    rows, columns = -(-size[0] // stride), -(-size[1] // stride)
    wanted = np.zeros((len(faces), 15, rows, columns), np.float32)
    weight = np.ones((len(faces), rows, columns), np.float32)
    across, down = np.meshgrid(np.arange(columns), np.arange(rows))
    for number, found in enumerate(faces):
        for face in found:
            x, y, wide, high = face.box()
            inside = (np.abs((across + 0.5) * stride - x) < wide / 2) & (np.abs((down + 0.5) * stride - y) < high / 2)
            own = (WIDE_PIXELS < wide) == (stride == STRIDES[-1])
            if not face.seen or wide < FACE_PIXELS_MIN or not own:
                weight[number][inside] = 0.0
                continue
            near = np.maximum(np.abs((across + 0.5) * stride - x), np.abs((down + 0.5) * stride - y)) < stride
            weight[number][inside & ~near] = 0.0
            weight[number][near] = 1.0
            values = [1.0, *np.log([wide / stride, high / stride]), *(face.points / stride).flatten()]
            wanted[number, 0][near] = 1.0
            wanted[number, 1][near], wanted[number, 2][near] = (x / stride - across)[near], (y / stride - down)[near]
            wanted[number, 3][near], wanted[number, 4][near] = values[1], values[2]
            for point in range(5):
                wanted[number, 5 + 2 * point][near] = (values[3 + 2 * point] - across)[near]
                wanted[number, 6 + 2 * point][near] = (values[4 + 2 * point] - down)[near]
    return torch.from_numpy(wanted), torch.from_numpy(weight)


def loss(net: FaceNet, frames: list[np.ndarray], faces: list[list[Face]], rng: np.random.Generator) -> Tensor:
    """Focal loss (Lin et al., 2017) of scores, and how far boxes and points are off, in cells."""
    tiles, inside = [], []
    for place in rng.integers(0, len(frames), TILES):
        around = [face for face in faces[place] if face.seen]
        x, y = around[rng.integers(len(around))].points[2] if around else rng.uniform(0, [WIDTH, HEIGHT])
        left = int(np.clip(x - rng.uniform(0.1, 0.9) * TILE, 0, WIDTH - TILE))
        top = int(np.clip(y - rng.uniform(0.1, 0.9) * TILE, 0, HEIGHT - TILE))
        tiles.append(frames[place][top : top + TILE, left : left + TILE])
        inside.append([Face(face.points - [left, top], face.seen, face.visit) for face in faces[place]])
    images = batch(coloured(np.stack(tiles), rng)).to(memory_format=torch.channels_last)
    total = torch.zeros(())
    for stride, said in zip(STRIDES, net.maps(images)):
        wanted, weight = targets(inside, (TILE, TILE), stride)
        positive = wanted[:, 0] == 1
        score = said[:, 0].sigmoid()
        right = torch.where(positive, score, 1 - score)
        entropy = functional.binary_cross_entropy_with_logits(said[:, 0], wanted[:, 0], reduction="none")
        focal = ((1 - right) ** 2 * entropy * torch.where(positive, 2.0, 1.0) * weight).sum()
        off = functional.smooth_l1_loss(said[:, 1:], wanted[:, 1:], reduction="none", beta=0.2).mean(1)[positive].sum()
        total = total + (focal + 2.0 * off) / max(int(positive.sum()), 4)
    return total


@torch.no_grad()
def detect(net: FaceNet, picture: np.ndarray, score_min: float) -> np.ndarray:
    """Faces of a frame of the network's size as the engine decodes them: score, middle, size, five points."""
    found = []
    for stride, said in zip(STRIDES, net.maps(batch(picture[None]))):
        values = said[0].numpy()
        score = 1 / (1 + np.exp(-values[0]))
        for row, column in zip(*np.nonzero(score_min <= score)):
            cell = values[:, row, column]
            cell = [score[row, column], *(cell[1:3] + [column, row]) * stride, *np.exp(cell[3:5]) * stride,
                    *((cell[5:].reshape(5, 2) + [column, row]) * stride).flatten()]
            found.append(cell)
    kept: list[np.ndarray] = []
    for face in sorted(map(np.array, found), key=lambda face: -face[0]):
        if all(max(face[3], face[4]) / 2 < np.abs(face[1:3] - other[1:3]).max() for other in kept):
            kept.append(face)
    return np.array(kept).reshape(-1, 15)


def judge(net: FaceNet, frames: list[np.ndarray], faces: list[list[Face]]) -> None:
    """Prints how many faces are found, by width, how many finds are none, and how far points are off."""
    net.eval()
    wide, hit, errors, wrong, finds = [], [], [], 0, 0
    for picture, known in zip(frames, faces):
        found = detect(net, picture, 0.5)
        taken = np.zeros(len(found), bool)
        for face in known:
            x, y, width, height = face.box()
            near = np.abs(found[:, 1:3] - [x, y]).max(1) < 0.6 * max(width, height) if len(found) else taken
            if face.seen and FACE_PIXELS_MIN <= width:
                wide.append(width)
                hit.append(bool(near.any()))
                if near.any():
                    points = found[np.flatnonzero(near)[0], 5:].reshape(5, 2)
                    errors.append(np.hypot(*(points - face.points).T).mean() / width)
            taken |= near
        wrong += int((~taken).sum())
        finds += len(found)
    wide, hit = np.array(wide), np.array(hit)
    print(f"{len(frames)} frames: {hit.mean():.3f} of {len(hit)} faces found, {wrong} of {finds} finds are none; "
          f"points off by {np.median(errors):.3f} widths in the median")
    for low, high in ((0, 12), (12, 18), (18, 30), (30, 1000)):
        fits = (low <= wide) & (wide < high)
        if fits.any():
            print(f"  {low} to {high} pixels: {hit[fits].mean():.3f} ({fits.sum()})")


def takes(count: int, folder: Path) -> list[Take]:
    """What is recorded to train on: a third of it in large frames."""
    def take(number: int) -> Take:
        wide = number % 3 == 0
        shop = str(invented("convenience", number, folder))
        return Take(shop, 5000 + number, 90, 0.5 if wide else 1.0, width=1280 if wide else None)

    return [take(number) for number in range(6, 6 + count)]


def publish(net: FaceNet, folder: Path) -> None:
    """Writes the network and its manifest."""
    weights = folder / f"{NAME}.onnx"
    groups = ("classes", "objects", "boxes", "points")
    names = [f"{group}_{stride}" for group in groups for stride in STRIDES]
    export(net, (HEIGHT, WIDTH), names, weights)
    write_manifest(weights, "Faces of the simulated shop, trained by models/training/faces.py.", "faces", f"""
score_min = 0.5
iou_max = 0.3

[input]
width = {WIDTH}
height = {HEIGHT}
colour = "rgb"
fit = "corner"

[decoder]
kind = "yunet"
strides = {list(STRIDES)}
""")


def main() -> None:
    parser = options(__doc__, 10)
    parser.add_argument("--shops", type=int, default=12, help="shops of other goods to train on")
    args = parser.parse_args()
    rng = np.random.default_rng(1)
    wanted = [record(take, args.footage, args.aisle) for take in takes(args.shops, args.footage)]
    parts = [frames_of(path, rng) for path in wanted]
    frames, faces = [each for part in parts for each in part[0]], [each for part in parts for each in part[1]]
    print(f"{len(frames)} frames, {sum(face.seen for found in faces for face in found)} faces")
    torch.manual_seed(1)
    net = FaceNet().to(memory_format=torch.channels_last)
    train(net, args.minutes, lambda: loss(net, frames, faces, rng), rate=2e-3)
    for take in HELD_OUT:
        judge(net, *frames_of(record(take, args.footage, args.aisle), np.random.default_rng(1)))
    publish(net, args.out)


if __name__ == "__main__":
    main()
