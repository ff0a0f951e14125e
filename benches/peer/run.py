"""aisle and the Python pipeline over the same frames, in turn, on as many threads each: medians and their ratio.

    python -m venv env && env/bin/pip install -r requirements.txt
    cargo bench --bench sight --no-run                       prints the path of the program
    env/bin/python run.py PROGRAM FRAMES MODEL               FRAMES: a folder of JPEGs for each camera
    env/bin/python run.py PROGRAM CLIP.avi MODEL             or a film of one camera

Both use the ONNX Runtime that pip installed. Of so many threads aisle makes sessions of one thread each, the other one a
session of so many threads, as its users do.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import onnxruntime


def frames_of(clip, folder, count):
    """The first frames of a film as JPEGs."""
    folder.mkdir()
    film = cv2.VideoCapture(str(clip))
    for number in range(count):
        there, frame = film.read()
        if not there:
            break
        cv2.imwrite(str(folder / f"{number:06}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 90])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("frames", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--frames-max", type=int, default=200)
    options = parser.parse_args()
    library = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    pipeline = Path(__file__).with_name("pipeline.py")
    with tempfile.TemporaryDirectory() as temporary:
        frames = options.frames
        if frames.is_file():
            frames_of(frames, Path(temporary) / "clip", options.frames_max)
            frames = Path(temporary)
        environment = {
            **os.environ, "AISLE_ONNXRUNTIME": str(library), "AISLE_FRAMES": str(frames),
            "AISLE_DATA": str(options.model.resolve().parent.parent),
        }
        python = [sys.executable, str(pipeline), str(frames), str(options.model)]
        for threads in options.threads:
            commands = {
                "aisle": ([str(options.program)], {**environment, "AISLE_SESSIONS": str(threads)}),
                "python": ([*python, "--threads", str(threads)], environment),
            }
            compare(threads, commands, options.turns)


def compare(threads, commands, turns):
    rows = {name: [] for name in commands}
    for _ in range(turns):
        for name, (command, environment) in commands.items():
            run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            rows[name].append(json.loads(run.stdout.strip().splitlines()[-1]))
            print(name, rows[name][-1], flush=True)
    keys = ("wall_ms", "cpu_ms", "bare_ms")
    medians = {name: {key: statistics.median(row[key] for row in rows[name]) for key in keys} for name in rows}
    for name, row in medians.items():
        print(f"threads {threads}: {name} {row}")
    for key in ("wall_ms", "cpu_ms"):
        print(f"threads {threads}: {key}: aisle is {medians['python'][key] / medians['aisle'][key]:.2f} times as fast")


if __name__ == "__main__":
    main()
