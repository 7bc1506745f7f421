"""A Keras model as a function of NumPy images, by way of each export format."""

import numpy as np
import tensorflow as tf


def save(model, folder):
    """The folder of the SavedModel that `model.export` writes."""
    model.export(folder / "saved", verbose=False)
    return str(folder / "saved")


def saved_model(saved):
    """A SavedModel, read back."""
    loaded = tf.saved_model.load(saved)
    return lambda images: loaded.serve(tf.constant(images)).numpy()


def litert(saved):
    """LiteRT with built-in operations only: conversion fails where another would be needed."""
    converter = tf.lite.TFLiteConverter.from_saved_model(saved)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = tf.lite.Interpreter(model_content=converter.convert(), num_threads=1)

    def run(images):
        (image,), (logits,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.resize_tensor_input(image["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image["index"], images)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(logits["index"]))

    return run


def onnx(model, folder):
    """ONNX, run by ONNX Runtime."""
    import onnxruntime

    path = str(folder / "model.onnx")
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    return lambda images: session.run(None, {image.name: images})[0]
