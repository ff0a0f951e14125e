"""What a batch gains on one thread: a network's batch is opened, and pictures are inferred one by one and together.

Prints milliseconds of the processor a picture, medians, and whether the numbers are the same as one by one.
"""

import argparse
import time

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

ROUNDS, BATCHES = 8, (1, 2, 4, 8)


def opened(path):
    """The network with an open batch: inputs, outputs, and what reshapes to a batch of one."""
    model = onnx.load(path)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "pictures"
    del model.graph.value_info[:]
    shapes = {node.input[1] for node in model.graph.node if node.op_type == "Reshape"}
    constants = [(node.output[0], node.attribute[0].t) for node in model.graph.node if node.op_type == "Constant"]
    for name, tensor in constants + [(tensor.name, tensor) for tensor in model.graph.initializer]:
        if name in shapes:
            lengths = numpy_helper.to_array(tensor).copy()
            lengths[0] = 0
            tensor.CopyFrom(numpy_helper.from_array(lengths, tensor.name))
    return model.SerializeToString()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    for path in parser.parse_args().models:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(opened(path), settings, providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0]
        pictures = np.random.default_rng(0).random((max(BATCHES), *given.shape[1:]), dtype=np.float32) * 255
        run = lambda part: session.run(None, {given.name: part})[0]
        single = np.concatenate([run(pictures[place : place + 1]) for place in range(len(pictures))])
        times = {batch: [] for batch in BATCHES}
        for _ in range(ROUNDS):
            for batch, row in times.items():
                begun = time.process_time()
                together = run(pictures[:batch])
                row.append((time.process_time() - begun) / batch)
                assert together.shape == single[:batch].shape
        same = all(np.array_equal(run(pictures[:batch]), single[:batch]) for batch in BATCHES)
        print(path, {batch: round(1e3 * float(np.median(row)), 1) for batch, row in times.items()}, "same bits:", same)


if __name__ == "__main__":
    main()
