"""The same work in Python: JPEGs decoded, resized and looked at by YOLOX-nano, boxes decoded, people followed.

Prints one line of JSON: medians of milliseconds a frame over all rounds but the first. `bare_ms` is the network alone, in time of
the processor, as `cpu_ms` is.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import supervision

SIDE = 416
SCORE_MIN, IOU_MAX = 0.3, 0.5


def grid():
    """Cell and stride of every row of the output."""
    cells, strides = [], []
    for stride in (8, 16, 32):
        n = SIDE // stride
        ys, xs = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
        cells.append(np.stack([xs.ravel(), ys.ravel()], axis=1))
        strides.append(np.full((n * n, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


CELLS, STRIDES = grid()


class Camera:
    def __init__(self, rate):
        self.tracker = supervision.ByteTrack(frame_rate=rate)
        self.tracks = set()


def prepare(frame):
    scale = min(SIDE / frame.shape[0], SIDE / frame.shape[1])
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    padded = np.full((SIDE, SIDE, 3), 114, dtype=np.uint8)
    padded[: size[1], : size[0]] = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(padded.transpose(2, 0, 1), dtype=np.float32)[None], scale


def decode(rows, scale):
    """People in pixels of the frame, without those that overlap a surer one."""
    scores = rows[:, 4] * rows[:, 5]
    sure = (scores >= SCORE_MIN) & (rows[:, 5:].argmax(axis=1) == 0)
    rows, scores, cells, strides = rows[sure], scores[sure], CELLS[sure], STRIDES[sure]
    middle, size = (rows[:, :2] + cells) * strides, np.exp(rows[:, 2:4]) * strides
    corner = (middle - size / 2) / scale
    size = size / scale
    kept = cv2.dnn.NMSBoxes(np.hstack([corner, size]).tolist(), scores.tolist(), SCORE_MIN, IOU_MAX)
    kept = np.asarray(kept, dtype=int).reshape(-1)
    boxes = np.hstack([corner, corner + size])[kept].reshape(-1, 4)
    return supervision.Detections(xyxy=boxes, confidence=scores[kept], class_id=np.zeros(len(kept), dtype=int))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("frames", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=15)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    folders = sorted(path for path in options.frames.iterdir() if path.is_dir())
    films = [[np.fromfile(path, dtype=np.uint8) for path in sorted(folder.iterdir())] for folder in folders]
    rows = []
    for _ in range(options.rounds + 1):
        cameras = [Camera(options.rate) for _ in films]
        count, bare = 0, 0.0
        begun, cpu = time.perf_counter(), time.process_time()
        for number in range(max(map(len, films))):
            for camera, film in zip(cameras, films):
                if len(film) <= number:
                    continue
                tensor, scale = prepare(cv2.imdecode(film[number], cv2.IMREAD_COLOR))
                before = time.process_time()
                output = session.run(None, {name: tensor})[0]
                bare += time.process_time() - before
                found = camera.tracker.update_with_detections(decode(output[0], scale))
                camera.tracks.update(found.tracker_id)
                count += 1
        wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        rows.append((wall / count, cpu / count, bare / count))
    wall, cpu, bare = (1e3 * statistics.median(column) for column in zip(*rows[1:]))
    tracks = sum(len(camera.tracks) for camera in cameras)
    print(json.dumps({
        "frames": count, "wall_ms": round(wall, 3), "cpu_ms": round(cpu, 3), "bare_ms": round(bare, 3),
        "around_percent": round(100 * (cpu - bare) / bare, 1), "tracks": tracks,
    }))


if __name__ == "__main__":
    main()
