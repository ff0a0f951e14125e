"""The network for people with joints: everybody in a frame and their 17 joints, in one pass."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blocks import Residual, conv

JOINTS = 17
STRIDES = (8, 16, 32)
# Channels of the neck and of both branches of the head.
WIDTH = 64
# Before training a box reaches so many cells to each side, and one cell in a hundred shows somebody (Lin et al., 2017).
REACH_CELLS = 2.0
PRIOR = 0.01
# Joints lie within a few cells of the cell that tells of them; YOLOv8's factor.
JOINT_CELLS = 2.0


class People(nn.Module):
    """A residual backbone, features of three strides that were mixed from coarse to fine and back (Liu et al., 2018),
    and one head for all strides (Tian et al., 2019) with a branch for boxes and one for joints. Beside it a field over
    the finest cells says from near a joint where it is (the short offsets of Papandreou et al., 2018)."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(
            conv(3, 16, 3, 2), conv(16, 32, 3, 2), Residual(32), conv(32, 64, 3, 2), Residual(64), Residual(64)
        )
        self.middle = nn.Sequential(conv(64, 128, 3, 2), Residual(128), Residual(128))
        self.coarse = nn.Sequential(conv(128, 160, 3, 2), Residual(160))
        self.pooled = conv(320, WIDTH, 1)
        self.across = nn.ModuleList([conv(64, WIDTH, 1), conv(128, WIDTH, 1)])
        self.mixed = conv(WIDTH, WIDTH)
        self.down = nn.ModuleList([conv(WIDTH, WIDTH, 3, 2), conv(WIDTH, WIDTH, 3, 2)])
        self.boxes = conv(WIDTH, WIDTH)
        self.joints = conv(WIDTH, WIDTH)
        self.box = nn.Conv2d(WIDTH, 5, 1)
        self.joint = nn.Conv2d(WIDTH, JOINTS * 3, 1)
        self.field = nn.Sequential(conv(WIDTH, WIDTH), nn.Conv2d(WIDTH, JOINTS * 3, 1))
        # What is far smaller or larger than its stride leads one head for all strides astray; each has its own unit.
        self.units = nn.Parameter(torch.ones(len(STRIDES)))
        with torch.no_grad():
            for last in (self.box, self.joint, self.field[1]):
                last.weight.mul_(0.1)
                last.bias.zero_()
            self.box.bias[:4] = torch.tensor(REACH_CELLS).log()
            self.box.bias[4] = -torch.tensor(1 / PRIOR - 1).log()

    def levels(self, images: Tensor) -> list[Tensor]:
        """Features of each stride, batch x `WIDTH` x lines x columns, fine first."""
        fine = self.fine(images)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        around = F.max_pool2d(coarse, 7, 1, 3)
        coarse = self.pooled(torch.cat([coarse, around], 1))
        middle = self.mixed(self.across[1](middle) + F.interpolate(coarse, scale_factor=2.0))
        fine = self.across[0](fine) + F.interpolate(middle, scale_factor=2.0)
        middle = middle + self.down[0](fine)
        coarse = coarse + self.down[1](middle)
        return [fine, middle, coarse]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """For images of 0 to 1: boxes, batch x cells x 4, pixels, as edges; logits that there is somebody, batch x
        cells; joints, batch x cells x 17 x 2, pixels; logits that they are seen, batch x cells x 17; and the field,
        batch x 17 x 3 x finest cells: from a cell to the nearest such joint, pixels, and the logit that it is seen."""
        found, levels = [], self.levels(images)
        for unit, stride, level in zip(self.units, STRIDES, levels):
            box, joint = self.box(self.boxes(level)), self.joint(self.joints(level))
            batch, _, lines, columns = box.shape
            box = box.flatten(2).transpose(1, 2).float()
            joint = joint.flatten(2).transpose(1, 2).float().reshape(batch, -1, JOINTS, 3)
            centre = centres(lines, columns, stride).to(box.device)
            reach = (box[:, :, :4].clamp(max=6.0) * unit).exp() * stride
            edges = torch.cat([centre - reach[:, :, :2], centre + reach[:, :, 2:]], 2)
            places = centre[:, None] + joint[:, :, :, :2] * (unit * stride * JOINT_CELLS)
            found.append((edges, box[:, :, 4], places, joint[:, :, :, 2]))
        field = self.field(levels[0]).float().flatten(2).unflatten(1, (JOINTS, 3))
        field = field * torch.tensor([STRIDES[0], STRIDES[0], 1.0], device=field.device)[:, None]
        return *(torch.cat(parts, 1) for parts in zip(*found)), field


def centres(lines: int, columns: int, stride: int) -> Tensor:
    """The middles of all cells of a grid, cells x 2, pixels."""
    y, x = torch.meshgrid(torch.arange(lines), torch.arange(columns), indexing="ij")
    return (torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride


def refined(places: Tensor, seen: Tensor, field: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Joints and their logits as `People` gives them for images of this height and width, moved towards where the field
    has them, the further the surer they are seen; those outside the picture stay."""
    lines, columns = (side // STRIDES[0] for side in size)
    x, y = (places / STRIDES[0]).unbind(-1)
    inside = ((0 <= x) & (x < columns) & (0 <= y) & (y < lines)).float()[..., None]
    cell = y.clamp(0, lines - 1).long() * columns + x.clamp(0, columns - 1).long()
    index = cell.transpose(1, 2)[:, :, None].expand(-1, -1, 3, -1)
    here = field.gather(3, index).permute(0, 3, 1, 2)
    # The field is about the middle of the cell.
    middle = (torch.stack([cell % columns, torch.div(cell, columns, rounding_mode="floor")], -1) + 0.5) * STRIDES[0]
    seen = seen + inside[..., 0] * (here[..., 2] - seen) / 2
    return places + inside * seen.sigmoid()[..., None] * (middle + here[..., :2] - places), seen


class Columns(nn.Module):
    """What is exported: images as pixels over 255, batch x 3 x height x width, to YOLOv8's columns, batch x 56 x cells:
    middle and size of the box, its score, and x, y and score of every joint."""

    def __init__(self, net: People):
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        boxes, people, places, seen, field = self.net(images)
        places, seen = refined(places, seen, field, images.shape[2:])
        low, high = boxes[:, :, :2], boxes[:, :, 2:]
        joints = torch.cat([places, seen.sigmoid()[..., None]], -1).flatten(2)
        return torch.cat([(low + high) / 2, high - low, people.sigmoid()[..., None], joints], 2).transpose(1, 2)
