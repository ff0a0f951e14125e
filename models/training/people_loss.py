"""What the network for people with joints is told: which cells answer for whom, and how wrong they were."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from people_net import STRIDES, centres

# Task-aligned assignment (Feng et al., 2021) with YOLOv8's numbers: so many cells a person, by score and overlap.
CELLS = 10
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
# How far joints of COCO are apart between annotators, as shares of the size of a person (Lin et al., 2014).
# The nose, then each of both sides: eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
SIGMAS = (0.026, *(sigma for sigma in (0.025, 0.035, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089) for _ in range(2)))
# Weights of the parts of the loss.
BOX, SCORE, OKS, DISTANCE, SEEN, FIELD = 6.0, 0.5, 6.0, 12.0, 1.0, 3.0
# The field tells of a joint from as far as this share of the size of its person, within these bounds in pixels.
FIELD_SHARE, FIELD_PIXELS = 0.4, (16.0, 48.0)


@dataclass
class Target:
    """Who is in each image of a batch. People that are ignored come as `ignored`; rows beyond the last are empty."""

    boxes: Tensor  # batch x people x 4, pixels, as edges
    sizes: Tensor  # batch x people: square root of the area of the whole body's box; 0 for no person
    joints: Tensor  # batch x people x 17 x 2, pixels
    weights: Tensor  # batch x people x 17: how much the place of a joint counts
    seen: Tensor  # batch x people x 17: 1 for a joint that can be seen, 0 for others
    ignored: Tensor  # batch x some x 4, pixels, as edges


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU (Zheng et al., 2020) of boxes as edges, ... x 4."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    (size_a, size_b) = (box[..., 2:] - box[..., :2] for box in (a, b))
    iou = common / (size_a.prod(-1) + size_b.prod(-1) - common + 1e-6)
    around = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]).square().sum(-1) / 4
    angle = [torch.atan2(size[..., 0], size[..., 1] + 1e-6) for size in (size_a, size_b)]
    shape = (4 / math.pi**2) * (angle[0] - angle[1]).square()
    with torch.no_grad():
        share = shape / (1 - iou + shape + 1e-6)
    return iou - apart / (around.square().sum(-1) + 1e-6) - share * shape


def _inside(cells: Tensor, boxes: Tensor) -> Tensor:
    """Whether middles of cells, cells x 2, lie in boxes, batch x people x 4: batch x people x cells."""
    return ((boxes[:, :, None, :2] < cells) & (cells < boxes[:, :, None, 2:])).all(-1)


@torch.no_grad()
def assigned(cells: Tensor, boxes: Tensor, logits: Tensor, target: Target) -> tuple[Tensor, Tensor]:
    """For every cell the person that it answers for, batch x cells, and the score that it should have, 0 for those that
    answer for nobody."""
    overlaps = overlap(target.boxes[:, :, None], boxes[:, None]).clamp(min=0)
    may = _inside(cells, target.boxes) & (0 < target.sizes)[:, :, None]
    fit = logits.sigmoid()[:, None] ** SCORE_POWER * overlaps**OVERLAP_POWER * may
    # Before anything overlaps the nearest cells answer, so that everybody has some.
    middles = (target.boxes[..., :2] + target.boxes[..., 2:]) / 2
    near = (cells - middles[:, :, None]).square().sum(-1)
    fit = fit + may * 1e-9 / (1 + near)
    best = fit.topk(CELLS, -1)
    taken = torch.zeros_like(fit).scatter_(-1, best.indices, 1.0) * may
    fit = fit * taken
    # A cell answers for one person only: whom its box fits best.
    person = (fit + 1e-12 * taken).argmax(1)
    mine = taken * F.one_hot(person, fit.shape[1]).transpose(1, 2)
    fit, overlaps = fit * mine, overlaps * mine
    scores = fit / (fit.amax(-1, keepdim=True) + 1e-12) * overlaps.amax(-1, keepdim=True)
    return person, scores.amax(1), mine.amax(1)


def field_loss(field: Tensor, cells: Tensor, target: Target) -> Tensor:
    """How wrong the field is, batch x 17 x 3 x cells, in all cells near a joint: in cells, and about its being seen."""
    batch, people = target.sizes.shape
    joints = target.joints.transpose(1, 2)
    apart = torch.cdist(joints.reshape(batch, -1, 2), cells.expand(batch, -1, -1)).unflatten(1, (-1, people))
    reach = (target.sizes * FIELD_SHARE).clamp(*FIELD_PIXELS)
    weights = target.weights.transpose(1, 2)
    apart = apart.masked_fill((reach[:, None, :, None] < apart) | (weights == 0)[..., None], float("inf"))
    nearest, whose = apart.min(2)
    image, joint, cell = nearest.isfinite().nonzero(as_tuple=True)
    who = whose[image, joint, cell]
    # Large people lie near many cells and are worth as much as small ones.
    weight = weights[image, joint, who] * (FIELD_PIXELS[0] / reach[image, who]).square()
    away = joints[image, joint, who] - cells[cell] - field[image, joint, :2, cell]
    wrong = away.square().sum(-1).add(1e-3).sqrt() / STRIDES[0]
    wrong = wrong + F.binary_cross_entropy_with_logits(
        field[image, joint, 2, cell], target.seen.transpose(1, 2)[image, joint, who], reduction="none"
    )
    return (wrong * weight).sum() / weight.sum().clamp(min=1.0)


def loss(found: tuple[Tensor, ...], size: tuple[int, int], target: Target) -> tuple[Tensor, dict[str, float]]:
    """The loss of what the network gives for images of this height and width, and its parts."""
    boxes, logits, places, seen, field = found
    cells = torch.cat([centres(size[0] // stride, size[1] // stride, stride) for stride in STRIDES]).to(boxes.device)
    person, wanted, taken = assigned(cells, boxes, logits, target)
    scale = wanted.sum().clamp(min=1.0)
    counted = ((0 < taken) | ~_inside(cells, target.ignored).any(1)).float()
    parts = {
        "score": SCORE * (F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * counted).sum() / scale
    }
    image, cell = taken.nonzero(as_tuple=True)
    who, weight = person[image, cell], wanted[image, cell]
    parts["box"] = BOX * ((1 - overlap(boxes[image, cell], target.boxes[image, who])) * weight).sum() / scale
    apart = (places[image, cell] - target.joints[image, who]).square().sum(-1).clamp(min=1e-6)
    extent, counts = target.sizes[image, who][:, None], target.weights[image, who]
    joints = counts.sum(-1).clamp(min=1.0)
    sigmas = torch.tensor(SIGMAS, device=boxes.device) * 2
    oks = (1 - torch.exp(-apart / (2 * (extent * sigmas).square() + 1e-6))) * counts
    far = apart.sqrt() / (extent + 1e-6) * counts
    parts["oks"] = OKS * (oks.sum(-1) / joints * weight).sum() / scale
    parts["distance"] = DISTANCE * (far.sum(-1) / joints * weight).sum() / scale
    unsure = F.binary_cross_entropy_with_logits(seen[image, cell], target.seen[image, who], reduction="none").mean(-1)
    parts["seen"] = SEEN * (unsure * weight).sum() / scale
    finest = cells[: field.shape[-1]]
    parts["field"] = FIELD * field_loss(field, finest, target)
    return sum(parts.values()), {name: float(part.detach()) for name, part in parts.items()}
