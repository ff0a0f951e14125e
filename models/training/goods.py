"""Other shops to train in: those that aisle brings along with invented goods, so that no product of theirs is learned."""

import re
from pathlib import Path

import numpy as np

from footage import Take

CALIBRATION = Path(__file__).parents[2] / "calibration"
SHAPES = ("box", "bottle", "can", "bag")
# Goods whose package takes another form than the one they replace; its size stays, for it must fit the shelf.
RESHAPED_SHARE = 0.3
# A brand has about so many products on the shelves.
BRAND_PRODUCTS = 4
# Frames a second and their width, in turn; larger ones take longer to draw. None is the width of the shop's cameras.
SIZES = ((1.0, None), (1.0, 960), (0.5, 1280))
SYLLABLES = (
    "ba bel bor bran cal car cor cres da del dor ela fal fen fir gar gil gor hal har hol ing ivo jar jun kel kin kor "
    "la len lim lor mar mel mir mon na nel nim nor oak ol or pel pim por quin ra ren rim ros sal sel sil sor ta tel "
    "tim tor ul um va vel vin vor wal wen wil yar yel zan zel zor"
).split()


def word(rng: np.random.Generator, longest: int = 4) -> str:
    """A word that means nothing."""
    return "".join(rng.choice(SYLLABLES, rng.integers(1, longest)))


def amount(rng: np.random.Generator) -> str:
    """What a package says it holds."""
    return f"{rng.integers(1, 100) * 10} {rng.choice(['g', 'ml', 'pcs', 'kg', 'l'])}"


def invented(name: str, number: int, folder: Path) -> Path:
    """A copy of a shop of `calibration` with goods that exist in no other: codes, brands, names and some forms of
    packages follow from `number`. Made unless it is there already."""
    made = folder / f"{name}-{number}"
    if made.exists():
        return made
    rng = np.random.default_rng([number, len(name)])
    part = made.with_suffix(".part")
    part.mkdir(parents=True, exist_ok=True)
    brands: list[str] = []

    def named(_: re.Match) -> str:
        if not brands or rng.random() < 1 / BRAND_PRODUCTS:
            brands.append(word(rng, 5).capitalize())
        what = " ".join(word(rng) for _ in range(rng.integers(1, 4)))
        return f'name = "{rng.choice(brands[-6:])} {what} {amount(rng)}"'

    def shaped(found: re.Match) -> str:
        return f'shape = "{rng.choice(SHAPES) if rng.random() < RESHAPED_SHARE else found[1]}"'

    for file in sorted((CALIBRATION / name).glob("*.toml")):
        # Codes of all files change alike, so that what belongs together stays together.
        text = re.sub(r'"2[02]00(\d{9})"', rf'"{3000 + number}\1"', file.read_text())
        if file.name == "catalogue.toml":
            text = re.sub(r'(?m)^name = ".*"', named, text)
            text = re.sub(r'shape = "(\w+)"', shaped, text)
        (part / file.name).write_text(text)
    part.rename(made)
    return made


def takes(count: int, folder: Path) -> tuple[list[str], list[Take]]:
    """Shops with invented goods to train in, a sixth of them small, and what is recorded in them: every seed other people,
    two thirds in larger frames."""
    numbers = range(1, count + 1)
    names = ["micro-market" if number % 6 == 0 else "convenience" for number in numbers]
    shops = [str(invented(name, number, folder)) for name, number in zip(names, numbers)]
    sizes = (SIZES[(number - 1) % len(SIZES)] for number in numbers)
    return shops, [Take(shop, 5000 + number, 90, rate, width=width) for shop, number, (rate, width) in zip(shops, numbers, sizes)]
