"""Shops that training makes out of one that aisle brings along: other cameras in it, or other walls and ways too."""

import math
import random
import re
import shutil
from pathlib import Path

CAMERAS = 4
SIZE_PIXELS = (640, 360)
# What cameras are seen to be in shops: from the height of a head to the ceiling, from wide to narrow.
HEIGHT_METRES = (1.7, 2.75)
FOCAL_PIXELS = (260.0, 560.0)
# Of a wide lens; a narrow one bends less.
DISTORTION = (-0.243, 0.0561, 0.0006, -0.0004, -0.0053)
WIDE_FOCAL_PIXELS = 300.0
# Nearer than this a camera does not look at a point of the floor.
LOOK_METRES_MIN = 1.6
# Free of walls and of what stands along them.
MARGIN_METRES = 0.35
# Where the units of the convenience shop stand in the hall, in the order of its file: x, y, turn in degrees.
HALL_UNITS = (
    (3.4, 7.55, 0),
    (0.45, 3.6, 90),
    (2.4, 5.6, -90),
    (3.2528, 3.7712, 90),
    (5.5, 3.9, 0),
    (7.3288, 3.0472, 180),
)
HALL_ROOM = (9.0, 8.0, 3.4)


def _room(text: str) -> tuple[float, float]:
    """Width and depth of the room that a shop's file describes, which begins at the origin."""
    corners = re.search(r"\[room\]\s*polygon = (\[\[.*\]\])", text).group(1)
    numbers = [float(number) for number in re.findall(r"[\d.]+", corners)]
    return max(numbers[0::2]), max(numbers[1::2])


def _camera(number: int, room: tuple[float, float], roll: random.Random) -> str:
    """A camera somewhere in the room, as TOML."""

    def point(low: float, high: float) -> tuple[float, float, float]:
        x, y = (roll.uniform(MARGIN_METRES, side - MARGIN_METRES) for side in room)
        return x, y, roll.uniform(low, high)

    eye = target = point(*HEIGHT_METRES)
    while math.dist(eye[:2], target[:2]) < LOOK_METRES_MIN:
        eye, target = point(*HEIGHT_METRES), point(0.2, 1.3)
    focal = roll.uniform(*FOCAL_PIXELS)
    bend = roll.uniform(0.2, 1.0) * min(1.0, WIDE_FOCAL_PIXELS / focal)
    values = {
        "size_pixels": list(SIZE_PIXELS),
        "rate_hertz": 10,
        "focal_pixels": [round(focal, 1)] * 2,
        "centre_pixels": [side / 2 for side in SIZE_PIXELS],
        "distortion": [round(part * bend, 5) for part in DISTORTION],
        "position_metres": [round(value, 3) for value in eye],
        "look_at_metres": [round(value, 3) for value in target],
        "roll_degrees": round(roll.gauss(0.0, 2.0), 2),
    }
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join(["[[camera]]", f'name = "drawn-{number}"', *lines, ""])


def _hall(text: str) -> str:
    """The file of the convenience shop with its units put elsewhere in a larger and higher room."""
    width, depth, height = HALL_ROOM
    text = re.sub(
        r"(\[room\]\s*polygon = ).*", rf"\1[[0.0, 0.0], [{width}, 0.0], [{width}, {depth}], [0.0, {depth}]]", text
    )
    text = re.sub(r"(\[room\]\n.*\nheight_metres = ).*", rf"\g<1>{height}", text)
    units = iter(HALL_UNITS)
    place = r"(\[\[gondola\]\]\nnumber = \d+\n)x_metres = .*\ny_metres = .*\nturn_degrees = .*"
    return re.sub(
        place, lambda found: found[1] + "x_metres = {}\ny_metres = {}\nturn_degrees = {}".format(*next(units)), text
    )


def drawn(shop: Path, seed: int, folder: Path, hall: bool = False) -> Path:
    """A copy of a shop with cameras by seed, made unless it is there already; `hall` is for the convenience shop."""
    copy = folder / f"{'hall' if hall else shop.name}-drawn-{seed}"
    shutil.copytree(shop, copy, dirs_exist_ok=True)
    text = (copy / "shop.toml").read_text()
    if hall:
        text = _hall(text)
        (copy / "shop.toml").write_text(text)
    roll = random.Random(f"{copy.name}")
    cameras = [_camera(number, _room(text), roll) for number in range(CAMERAS)]
    (copy / "cameras.toml").write_text("\n".join(cameras))
    return copy
