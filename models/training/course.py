"""How a network is trained: its weights, the average of them, how fast it learns, and a checkpoint to go on from."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

# The first steps learn slowly, and no step goes farther than gradients of this length.
WARM_STEPS, NORM_MAX = 200, 10.0
# Weights are averaged over about so many of the last steps (Polyak and Juditsky, 1992).
AVERAGE_STEPS = 1000
CHECKPOINT_SECONDS = 180.0


class Course:
    """A network under training, the average of its weights, and how long it has been at it. The rate falls from one bound
    to the other as half a cosine over the time that there is."""

    def __init__(self, net: nn.Module, device: str, rates: tuple[float, float], decay: float):
        self.device, self.rates = device, rates
        self.net = net.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval()
        # Normalisation and biases are not pulled to 0.
        weights = [weight for weight in self.net.parameters() if 1 < weight.dim()]
        others = [weight for weight in self.net.parameters() if weight.dim() <= 1]
        groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=rates[0])
        self.step, self.seconds = 0, 0.0

    def load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device)
        for name in ("net", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self, path: Path) -> None:
        state = {name: getattr(self, name).state_dict() for name in ("net", "average", "optimiser")}
        part = path.with_suffix(".part")
        torch.save({**state, "step": self.step, "seconds": self.seconds}, part)
        part.rename(path)

    def run(self, minutes: float, path: Path, one: Callable[[], tuple[Tensor, dict[str, float]]]) -> None:
        """Learns from one batch after another until so many minutes have gone, those before a break counted, and leaves a
        checkpoint now and then. `one` runs the network on the next batch and gives the loss and its parts."""
        clock = saved = time.monotonic()
        means: dict[str, float] = {}
        while self.seconds < 60 * minutes:
            total, parts = one()
            self.learn(total, self.seconds / (60 * minutes))
            for name, value in parts.items():
                means[name] = value if name not in means else means[name] * 0.98 + value * 0.02
            now = time.monotonic()
            self.seconds, clock = self.seconds + now - clock, now
            if self.step % 50 == 0:
                figures = " ".join(f"{name} {value:.3f}" for name, value in means.items())
                print(f"{self.seconds / 60:.1f} min, step {self.step}: {figures}", flush=True)
            if CHECKPOINT_SECONDS <= now - saved:
                self.save(path)
                saved = now
        self.save(path)

    def learn(self, total: Tensor, done: float) -> None:
        """One step down a loss; `done` is the part of the time that has gone."""
        high, low = self.rates
        rate = low + (high - low) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = rate * min(1.0, (self.step + 1) / WARM_STEPS)
        self.optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), NORM_MAX)
        self.optimiser.step()
        self.step += 1
        self.follow()

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the average towards the weights, quickly as long as there are few steps to average."""
        keep = min(1 - 1 / AVERAGE_STEPS, self.step / (self.step + 10))
        for mean, value in zip(self.average.state_dict().values(), self.net.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)

    def averaged(self) -> nn.Module:
        """A copy of the averaged network as it is exported."""
        return copy.deepcopy(self.average).cpu().to(memory_format=torch.contiguous_format)
