"""What the networks for faces learn from: frames with the five points of every face, and faces turned upright."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from crops import PAD
from footage import shots

# The detector looks at frames of this size.
WIDTH, HEIGHT = 640, 360
# Side of a face turned upright.
SIDE = 64
NOSE, LEFT_EYE, RIGHT_EYE = 0, 1, 2
# From eye to eye and from the eyes to the mouth, metres.
EYES_METRES, MOUTH_METRES = 0.064, 0.0725
# A face from the middle of the forehead to the chin, metres.
FACE_METRES = (0.15, 0.19)
# Smaller faces, in pixels of the detector's input, are neither learned nor unlearned.
FACE_PIXELS_MIN = 7.0
# Where the five points lie in a face turned upright, of a side of 112 (Deng et al., 2019), as in crates/vision/src/vision/align.rs.
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


@dataclass
class Face:
    """Five points (5 x 2, those on the left of the picture first), whether they count as seen, and whose they are."""

    points: np.ndarray
    seen: bool
    visit: str

    def box(self) -> np.ndarray:
        """Middle, width and height."""
        eyes, mouth = self.points[:2].mean(0), self.points[3:].mean(0)
        apart, down = np.hypot(*(self.points[1] - self.points[0])), np.hypot(*(mouth - eyes))
        scale = max(apart / EYES_METRES, down / MOUTH_METRES)
        middle = eyes + 0.4 * (mouth - eyes)
        return np.array([*middle, FACE_METRES[0] * scale, FACE_METRES[1] * scale])


def faces_of(truth: dict) -> list[Face]:
    """The faces of a frame of which some point is seen."""
    found = []
    for body in truth["people"]:
        points = [body["keypoints"][joint] for joint in (LEFT_EYE, RIGHT_EYE, NOSE)] + body["mouth"]
        seen = [point["visibility"] == "visible" for point in points]
        if not any(seen) or any(point["pixel"] is None for point in points):
            continue
        eyes_left, eyes_right, nose, mouth_left, mouth_right = (np.array(point["pixel"][:2]) for point in points)
        # What is on the person's right is on the left of the picture, where the face looks at the camera.
        ordered = np.array([eyes_right, eyes_left, nose, mouth_right, mouth_left])
        found.append(Face(ordered, seen[2] and 4 <= sum(seen), body["visit"]))
    return found


def frames_of(recording: Path, rng: np.random.Generator) -> tuple[list[np.ndarray], list[list[Face]]]:
    """Parts of frames of the detector's size with their faces: all frames that show one, some of the others."""
    pictures, faces = [], []
    for shot in shots(recording):
        found = faces_of(shot.truth)
        if not found and rng.random() < 0.9:
            continue
        picture = shot.picture()
        height, width = picture.shape[:2]
        # Between the whole frame and its own pixels.
        share = rng.uniform(1.0, width / WIDTH) if rng.random() < 0.7 else width / WIDTH
        wide, high = WIDTH * share, HEIGHT * share
        around = found[rng.integers(len(found))].points[2] if found else np.array([width, height]) / 2
        left, top = (
            float(np.clip(at - rng.uniform(0.2, 0.8) * side, 0, whole - side + 1e-6))
            for at, side, whole in zip(around, (wide, high), (width, height))
        )
        part = picture[int(top) : int(top) + round(high), int(left) : int(left) + round(wide)]
        scale = np.array([WIDTH / part.shape[1], HEIGHT / part.shape[0]])
        pictures.append(cv2.resize(np.ascontiguousarray(part), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
        faces.append([Face((face.points - [int(left), int(top)]) * scale, face.seen, face.visit) for face in found])
    return pictures, faces


def upright(points: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The similarity, 2 x 3, that brings five points nearest to the template, by least squares (Umeyama, 1991)."""
    goals = (TEMPLATE + 0.5) * side / 112.0
    from_middle, to_middle = points.mean(0), goals.mean(0)
    a, b = points - from_middle, goals - to_middle
    # As complex numbers a turn with a scale is one factor.
    turn = np.sum(np.conj(a @ [1, 1j]) * (b @ [1, 1j])) / np.sum(np.abs(a @ [1, 1j]) ** 2)
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.concatenate([matrix, (to_middle - matrix @ from_middle)[:, None]], 1)


def cut_face(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A face turned upright."""
    matrix = upright(points)
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if scale < 1.0:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.42 / scale)
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=(PAD,) * 3)


def identities_of(recording: Path, rng: np.random.Generator, copies: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces turned upright by points that are a little off, whose they are, and their widths in the frame."""
    rows = []
    for shot in shots(recording):
        found = [face for face in faces_of(shot.truth) if face.seen and FACE_PIXELS_MIN <= face.box()[2]]
        picture = np.ascontiguousarray(shot.picture()) if found else None
        for face in found * copies:
            noise = rng.normal(0, 0.04 * face.box()[2], (5, 2))
            rows.append((cut_face(picture, face.points + noise), face.visit, face.box()[2]))
    pictures, visits, widths = zip(*rows)
    return np.array(pictures), np.array(visits), np.array(widths)
