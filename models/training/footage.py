"""Footage with truth: makes recordings with `aisle simulate` and reads frames and what they really show."""

import argparse
import base64
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mcap.reader import make_reader


# The shops that come with aisle.
SHOPS = Path(__file__).resolve().parents[2] / "calibration"


@dataclass(frozen=True)
class Take:
    """One recording that is wanted: everything about it follows from these."""

    shop: str
    seed: int
    seconds: int = 90
    rate: float = 2.0
    scenario: str = "open"
    width: int | None = None
    varied: bool = True

    def name(self) -> str:
        wide = f"-{self.width}" if self.width else ""
        plain = "" if self.varied else "-plain"
        return f"{Path(self.shop).name}-{self.scenario}-{self.seed}-{self.seconds}s-{self.rate:g}hz{wide}{plain}.mcap"


def options(doc: str, minutes: float) -> argparse.ArgumentParser:
    """The options that every training has; `doc` begins with what it trains."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--aisle", default="aisle", help="the program that makes footage")
    parser.add_argument("--footage", type=Path, required=True, help="a folder for recordings and checkpoints")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1], help="where the network goes")
    parser.add_argument("--minutes", type=float, default=minutes, help="how long to train")
    return parser


# Seeds from here on are never trained on.
HELD_OUT_SEEDS = 900_000
# What networks for parts of frames are judged by.
HELD_OUT = [
    Take("convenience", HELD_OUT_SEEDS + 103, 120, 1.0),
    Take("micro-market", HELD_OUT_SEEDS + 104, 120, 2.0),
]


@dataclass(frozen=True)
class Shot:
    """A frame as it was compressed, and the `aisle.FrameTruth` of it."""

    jpeg: bytes
    truth: dict

    def picture(self) -> np.ndarray:
        """The frame, height x width x 3, red first."""
        return cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def record(take: Take, folder: Path, aisle: str) -> Path:
    """The recording, made unless it is there already. A recording that broke off leaves nothing behind."""
    path = folder / take.name()
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    # The processes of one training share a folder.
    part = path.with_suffix(f".{os.getpid()}.part")
    command = [aisle, "simulate", "--shop", take.shop, "--scenario", take.scenario, "--seed", str(take.seed)]
    command += ["--seconds", str(take.seconds), "--rate", f"{take.rate:g}", "--quality", "90", "-o", str(part)]
    command += ["--varied"] if take.varied else []
    command += ["--width", str(take.width)] if take.width else []
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def shots(path: Path) -> list[Shot]:
    """All frames of a recording with their truth, in the order of the recording."""
    frames: dict[tuple[str, int], bytes] = {}
    truths: list[dict] = []
    with path.open("rb") as file:
        for _, channel, message in make_reader(file).iter_messages():
            if channel.topic.startswith("/cameras/"):
                body = json.loads(message.data)
                frames[body["frame_id"], message.sequence] = base64.b64decode(body["data"])
            elif channel.topic == "/truth/frames":
                truths.append(json.loads(message.data))
    found = [(truth, frames.get((truth["camera"], truth["sequence"]))) for truth in truths]
    return [Shot(jpeg, truth) for truth, jpeg in found if jpeg is not None]


def lying(folder: Path) -> list[tuple[Path, int]]:
    """All recordings of a folder with their seeds, in the order of their names."""
    found = [(path, re.search(r"-(\d+)-\d+s-", path.name)) for path in sorted(folder.glob("*.mcap"))]
    return [(path, int(seed[1])) for path, seed in found if seed]
