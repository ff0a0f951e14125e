"""Parts of frames as networks see them when the engine cuts them."""

import cv2
import numpy as np

# What is beyond a frame, as in the manifests.
PAD = 114
LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST, LEFT_HIP, LEFT_KNEE = 5, 7, 9, 11, 13
# How the square around a hand follows from joints; the same numbers stand in crates/vision/src/vision/hand.rs.
BONES = (
    (LEFT_SHOULDER, LEFT_ELBOW, 0.32), (LEFT_ELBOW, LEFT_WRIST, 0.25),
    (LEFT_SHOULDER, LEFT_HIP, 0.50), (LEFT_HIP, LEFT_KNEE, 0.42),
)
BEYOND_WRIST = 0.35
SIDE_METRES = 0.5
SIDE_PIXELS_MIN = 16.0


def hand_square(joints: np.ndarray, known: np.ndarray, hand: int) -> tuple[float, float, float] | None:
    """Middle and side of the square around the left (0) or right (1) hand, pixels, from 17 joints (17 x 2) and which of
    them are known. None without the wrist or without any bone that tells the size of the body."""
    wrist, elbow = LEFT_WRIST + hand, LEFT_ELBOW + hand
    if not known[wrist]:
        return None
    lengths = [
        np.hypot(*(joints[a + side] - joints[b + side])) / metres
        for a, b, metres in BONES for side in (0, 1) if known[a + side] and known[b + side]
    ]
    if not lengths:
        return None
    reach = joints[wrist] - joints[elbow] if known[elbow] else np.zeros(2)
    middle = joints[wrist] + BEYOND_WRIST * reach
    return middle[0], middle[1], max(max(lengths) * SIDE_METRES, SIDE_PIXELS_MIN)


def cut(picture: np.ndarray, x: float, y: float, wide: float, high: float, size: tuple[int, int]) -> np.ndarray:
    """The part of a picture around a point, stretched to width and height `size`."""
    scale = np.array([size[0] / wide, size[1] / high])
    matrix = np.array([[scale[0], 0, size[0] / 2 - scale[0] * x], [0, scale[1], size[1] / 2 - scale[1] * y]])
    # Pixels are counted from the corner of the first one, by OpenCV from its middle.
    matrix[:, 2] += scale / 2 - 0.5
    if scale.max() < 1.0:
        # As wide a filter as the coarser grid, as the engine has it.
        picture = cv2.GaussianBlur(picture, (0, 0), 0.42 / scale.max())
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(PAD, PAD, PAD))


def coloured(pictures: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Pictures under other light, count x height x width x 3: brightness, contrast, balance, saturation, noise."""
    count = (len(pictures), 1, 1)
    values = pictures.astype(np.float32)
    grey = values.mean(3, keepdims=True)
    values = grey + (values - grey) * rng.uniform(1 - 0.35 * strength, 1 + 0.25 * strength, (*count, 1)).astype(np.float32)
    gain = np.exp(rng.normal(0, 0.22 * strength, (*count, 1)) + rng.normal(0, 0.05 * strength, (*count, 3)))
    lift = rng.normal(0, 8 * strength, (*count, 1))
    noise = rng.standard_normal(values.shape, np.float32) * rng.uniform(0, 6 * strength, (*count, 1)).astype(np.float32)
    return np.clip(values * gain.astype(np.float32) + lift.astype(np.float32) + noise, 0, 255).astype(np.uint8)
