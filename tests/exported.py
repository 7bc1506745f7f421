"""A Keras model as a function of NumPy images, by way of each export format."""

import numpy as np
import tensorflow as tf


def saved_model(model, folder):
    """The SavedModel that `model.export` writes, read back."""
    model.export(folder / "saved", verbose=False)
    loaded = tf.saved_model.load(str(folder / "saved"))
    return lambda images: loaded.serve(tf.constant(images)).numpy()


def litert(model, folder):
    """LiteRT with built-in operations only: conversion fails where another would be needed."""
    model.export(folder / "for_litert", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "for_litert"))
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
