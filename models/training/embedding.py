"""Networks that give vectors to compare by the cosine: their body, how they learn, how they are judged."""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import Residual, conv

LENGTH = 128
# The sharpness of a softmax over cosines is learned up to this.
SHARPNESS_MAX = 40.0


class Trunk(nn.Module):
    """Convolutions from batch x 3 x height x width to batch x `channels` x height/8 x width/8."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 16, 3, 2),
            conv(16, 32, 3, 2), Residual(32),
            conv(32, channels, 3, 2), Residual(channels), Residual(channels), Residual(channels),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.body(images)


class Pool(nn.Module):
    """A map of features to a vector of length 1: several weighted means over places that the features choose
    themselves (attentive pooling; Santos et al., 2016), then a matrix."""

    def __init__(self, channels: int, length: int = LENGTH, glances: int = 4):
        super().__init__()
        self.where = nn.Conv2d(channels, glances, 3, padding=1)
        self.project = nn.Linear(channels * glances, length)

    def places(self, features: Tensor) -> Tensor:
        """How much each mean takes of each place, batch x glances x places."""
        return self.where(features).flatten(2).softmax(2)

    def forward(self, features: Tensor) -> Tensor:
        glances = (self.places(features) @ features.flatten(2).transpose(1, 2)).flatten(1)
        return functional.normalize(self.project(glances).float(), dim=1)


class Embedder(nn.Module):
    """Pictures of 0 to 255 to vectors."""

    def __init__(self, channels: int = 96):
        super().__init__()
        self.trunk, self.pool = Trunk(channels), Pool(channels)

    def forward(self, images: Tensor) -> Tensor:
        return self.pool(self.trunk(scaled(images)))


def scaled(images: Tensor) -> Tensor:
    """Colours of 0 to 255 around 0."""
    return (images - 118.0) / 64.0


class Sharpness(nn.Module):
    """What cosines are multiplied with before a softmax."""

    def __init__(self):
        super().__init__()
        self.log = nn.Parameter(torch.tensor(2.5))

    def forward(self) -> Tensor:
        return self.log.exp().clamp(max=SHARPNESS_MAX)


def contrast(queries: Tensor, keys: Tensor, alike: Tensor, sharpness: Tensor) -> Tensor:
    """InfoNCE (van den Oord et al., 2018) with several right answers, both ways: `alike` says which query (row) and which
    key (column) show the same. Pairs of an item with itself belong in neither; mark them by NaN."""
    there = ~alike.isnan()
    logits = (queries @ keys.T * sharpness).masked_fill(~there, -1e4)
    right = logits.masked_fill(~(alike == 1), -1e4)

    def one_way(axis: int) -> Tensor:
        has = (alike == 1).any(axis)
        return (logits.logsumexp(axis) - right.logsumexp(axis))[has].mean()

    return (one_way(1) + one_way(0)) / 2


def train(
    parts: nn.Module, minutes: float, loss: Callable[[], Tensor], rate: float = 3e-3, report_steps: int = 100,
) -> None:
    """Steps of AdamW (Loshchilov and Hutter, 2019) until the time is up, the rate rising and falling once with the time
    that has passed (Smith and Topin, 2018)."""
    torch.set_num_threads(1)
    optimiser = torch.optim.AdamW(parts.parameters(), lr=rate, weight_decay=0.02)
    begun, step, told = time.monotonic(), 0, []
    while (share := (time.monotonic() - begun) / (minutes * 60)) < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = rate * max(min(share / 0.06, 0.5 + 0.5 * np.cos(np.pi * share)), 0.01)
        parts.train()
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(parts.parameters(), 5.0)
        optimiser.step()
        told.append(value.item())
        step += 1
        if step % report_steps == 0:
            print(f"step {step} at {share:.0%}: loss {np.mean(told):.3f}", flush=True)
            told.clear()


def batch(pictures: np.ndarray) -> Tensor:
    """Pictures, count x height x width x 3, red first, as the input of a network."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()


@torch.no_grad()
def vectors(net: nn.Module, pictures: np.ndarray, place: int | None = None) -> np.ndarray:
    """What a network answers for pictures; `place` chooses among several answers."""
    net.eval()
    answers = [net(batch(part)) for part in np.array_split(pictures, max(1, len(pictures) // 256))]
    return torch.cat([answer if place is None else answer[place] for answer in answers]).numpy()
