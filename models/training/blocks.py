"""The parts that all networks here are made of, and how a trained one becomes an ONNX file with a manifest."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

# A clone stays small and every network fits beside the others on a small box.
SIZE_BYTES_MAX = 4_000_000
OPSET = 17


def conv(inward: int, outward: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution, its normalisation (folded into it by the export) and what bends it."""
    padding = size // 2
    return nn.Sequential(
        nn.Conv2d(inward, outward, size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outward),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """A narrow 1x1 and a 3x3 convolution beside a way around both (He et al., 2016, as in Darknet)."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels // 2, 1), conv(channels // 2, channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def export(net: nn.Module, size: tuple[int, int], outputs: list[str], path: Path) -> None:
    """Writes a network that takes `images`, batch x 3 x height x width, as ONNX; `size` is height and width. The batch
    is free. Fails when the file is larger than a clone should hold."""
    net = net.eval().float()
    example = torch.zeros(1, 3, *size)
    axes = {name: {0: "batch"} for name in ["images", *outputs]}
    part = path.with_suffix(".part")
    torch.onnx.export(
        net, (example,), str(part), input_names=["images"], output_names=outputs,
        dynamic_axes=axes, opset_version=OPSET, dynamo=False,
    )
    if SIZE_BYTES_MAX < part.stat().st_size:
        raise SystemExit(f"{path.name} is {part.stat().st_size} bytes, more than {SIZE_BYTES_MAX}")
    part.rename(path)


def write_manifest(weights: Path, head: str, role: str, body: str) -> None:
    """Writes the manifest beside the weights; `body` is what stands after the licence, in TOML."""
    data = weights.read_bytes()
    lines = [
        f"# {head}",
        f'role = "{role}"',
        f'file = "{weights.name}"',
        f"size_bytes = {len(data)}",
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        'licence = "MIT OR Apache-2.0"',
        body.strip(),
    ]
    weights.with_suffix(".toml").write_text("\n".join(lines) + "\n")
