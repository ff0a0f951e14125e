"""Figures of TrackEval and py-motmetrics, which the scores of `aisle track` are held to.

    python -m pip install trackeval==1.3.0 motmetrics==1.4.0
    python reference.py make              writes the sequences of this folder, from a seed, and reference.json
    python reference.py score GT RESULT   prints the figures of two files as JSON; --classes for truth with classes
"""

import argparse
import contextlib
import io
import json
import pathlib
import random
import tempfile

HERE = pathlib.Path(__file__).parent


def score(truth, result, classes):
    """The figures of both packages; of TrackEval those of MOT17's rules where truth has classes, else of MOT15's."""
    return {"trackeval": trackeval_figures(truth, result, classes), "motmetrics": motmetrics_figures(truth, result, classes)}


def trackeval_figures(truth, result, classes):
    import numpy
    import trackeval

    frames = max(int(line.split(",")[0]) for path in (truth, result) for line in path.read_text().split())
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        folder = pathlib.Path(folder)
        (folder / "gt/one/gt").mkdir(parents=True)
        (folder / "trackers/us/data").mkdir(parents=True)
        (folder / "gt/one/gt/gt.txt").write_text(truth.read_text())
        (folder / "trackers/us/data/one.txt").write_text(result.read_text())
        dataset = trackeval.datasets.MotChallenge2DBox({
            "GT_FOLDER": str(folder / "gt"),
            "TRACKERS_FOLDER": str(folder / "trackers"),
            "SEQ_INFO": {"one": frames},
            "SKIP_SPLIT_FOL": True,
            "BENCHMARK": "MOT17" if classes else "MOT15",
            "DO_PREPROC": classes,
            "PRINT_CONFIG": False,
        })
        data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("us", "one"), "pedestrian")
        clear = trackeval.metrics.CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
        identity = trackeval.metrics.Identity({"PRINT_CONFIG": False}).eval_sequence(data)
        hota = trackeval.metrics.HOTA().eval_sequence(data)
    names = ["MOTA", "MODA", "MOTP", "CLR_TP", "CLR_FP", "CLR_FN", "IDSW", "Frag", "MT", "PT", "ML"]
    figures = {name: float(clear[name]) for name in names}
    figures |= {name: float(identity[name]) for name in ["IDF1", "IDP", "IDR", "IDTP", "IDFP", "IDFN"]}
    figures |= {name: float(numpy.mean(hota[name])) for name in ["HOTA", "DetA", "AssA", "LocA"]}
    return figures


def motmetrics_figures(truth, result, classes):
    """Without distractors, which the package leaves to others: there is no figure where truth has classes."""
    if classes:
        return None
    import motmetrics
    import numpy

    # The package was written for an older numpy.
    numpy.asfarray = getattr(numpy, "asfarray", lambda values: numpy.asarray(values, dtype=float))
    there, said = rows(truth), rows(result)
    accumulator = motmetrics.MOTAccumulator(auto_id=False)
    for frame in sorted(there.keys() | said.keys()):
        here = [row for row in there.get(frame, []) if row[6] != 0]
        found = said.get(frame, [])
        distances = motmetrics.distances.iou_matrix([row[2:6] for row in here], [row[2:6] for row in found], max_iou=0.5)
        accumulator.update([row[1] for row in here], [row[1] for row in found], distances, frameid=frame)
    names = ["mota", "idf1", "idp", "idr", "num_false_positives", "num_misses", "num_switches", "num_fragmentations"]
    summary = motmetrics.metrics.create().compute(accumulator, metrics=names, return_dataframe=False)
    return {name: float(summary[name]) for name in names}


def rows(path):
    frames = {}
    for line in path.read_text().split():
        row = [float(value) for value in line.split(",")]
        frames.setdefault(int(row[0]), []).append(row)
    return frames


def make():
    figures = {}
    for name, seed, classes in [("plain", 1, False), ("crowded", 2, False), ("classes", 3, True)]:
        truth, result = invent(random.Random(seed), 40 if name == "plain" else 90, 5 if name == "plain" else 14, classes)
        for kind, lines in [("gt", truth), ("result", result)]:
            (HERE / f"{name}.{kind}.txt").write_text("\n".join(lines) + "\n")
        figures[name] = score(HERE / f"{name}.gt.txt", HERE / f"{name}.result.txt", classes)
    (HERE / "reference.json").write_text(json.dumps(figures, indent=2) + "\n")


def invent(dice, frames, people, classes):
    """People on straight ways, and a tracker that misses, shakes, swaps names and sees things."""
    truth, result = [], []
    names = {person: person + 100 for person in range(people)}
    ways = {}
    for person in range(people):
        first = dice.randrange(frames // 2)
        ways[person] = dict(
            first=first,
            last=first + dice.randrange(frames // 4, frames),
            left=dice.uniform(0, 500),
            top=dice.uniform(0, 300),
            right=dice.uniform(-4, 4),
            down=dice.uniform(-2, 2),
            width=dice.uniform(25, 60),
            kind=dice.choice([1, 1, 1, 7, 8, 12, 3]) if classes else 1,
            flag=0 if dice.random() < 0.15 else 1,
        )
    fresh = 1000
    for frame in range(1, frames + 1):
        if frame % 17 == 0:
            one, other = dice.sample(range(people), 2)
            names[one], names[other] = names[other], names[one]
        for person, way in ways.items():
            if not way["first"] < frame <= way["last"]:
                continue
            step = frame - way["first"]
            box = [way["left"] + way["right"] * step, way["top"] + way["down"] * step, way["width"], 2.5 * way["width"]]
            tail = f"{way['flag']},{way['kind']},1.0" if classes else f"{way['flag']},-1,-1,-1"
            truth.append(f"{frame},{person + 1}," + ",".join(f"{value:.2f}" for value in box) + f",{tail}")
            if dice.random() < 0.12:
                continue
            if dice.random() < 0.03:
                fresh += 1
                names[person] = fresh
            shake = dice.choice([0.02, 0.05, 0.2])
            said = [value + dice.gauss(0, shake * way["width"]) for value in box]
            said[2:] = [max(value, 5.0) for value in said[2:]]
            result.append(f"{frame},{names[person]}," + ",".join(f"{value:.2f}" for value in said) + ",0.9,-1,-1,-1")
        if dice.random() < 0.3:
            box = [dice.uniform(0, 500), dice.uniform(0, 300), 30.0, 80.0]
            result.append(f"{frame},{5000 + frame}," + ",".join(f"{value:.2f}" for value in box) + ",0.4,-1,-1,-1")
    return truth, result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "score"])
    parser.add_argument("paths", nargs="*", type=pathlib.Path)
    parser.add_argument("--classes", action="store_true")
    given = parser.parse_args()
    if given.what == "make":
        make()
    else:
        print(json.dumps(score(*given.paths, given.classes)))
