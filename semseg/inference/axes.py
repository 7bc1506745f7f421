"""What a network asks of the tiles of a picture along its rows and columns."""

from functools import cache
from typing import Any

from keras import layers

from semseg.analysis.graph import Node, read_graph
from semseg.analysis.receptive_fields import ReceptiveField, receptive_field
from semseg.inference.forward import Forward
from semseg.inference.windows import Axis
from semseg.layers import BilinearUpsampling2D, LearnedUpsampling2D
from semseg.models.supervision import main_output

_Size = tuple[int, int]


def axes_of(forward: Forward, size: _Size) -> tuple[Axis, Axis]:
    """Reach, alignment and border of a model, for exact tiles of a picture of that size.

    Raises:
        ValueError: tiles can't give what the whole gives; the message says which layer it is.
    """
    try:
        field = receptive_field(forward.model)
    except ValueError as error:
        raise ValueError(
            f"overlap='exact' can't hold for {forward.model.name!r}: {error}; pass overlap=pixels"
        ) from None
    if field.output_stride != (1, 1):
        raise ValueError(
            f"model must give an output for each pixel, received one of stride "
            f"{field.output_stride}"
        )
    rows, columns = _axis(forward, field, 0), _axis(forward, field, 1)
    if rows.shrinks_by or columns.shrinks_by:
        _check_unpadded(forward)
    if not (rows.shrinks_by and columns.shrinks_by):
        _check_parity(forward, field, size)
    return rows, columns


def _axis(forward: Forward, field: ReceptiveField, axis: int) -> Axis:
    stride, reach = field.stride[axis], (field.height, field.width)[axis]

    @cache
    def given(length: int) -> int:
        size = (length, None) if axis == 0 else (None, length)
        return int(output_size(forward, size)[axis])

    def takes(length: int) -> int:
        return next((n for n in range(length, 0, -1) if given(n) > 0), 0)

    seen = takes(-(-reach // stride) * stride + 4 * stride)
    return Axis(
        field.before[axis],
        field.after[axis],
        stride,
        seen - given(seen),
        field.offset[axis],
        takes,
    )


def output_size(forward: Forward, size: tuple[int | None, int | None]) -> tuple[Any, Any]:
    """Height and width of the output for those of the input; 0 where the network refuses them."""
    try:
        output = forward.model.compute_output_shape((1, *size, forward.channels))
    except ValueError:
        return 0, 0
    return tuple(main_output(output)[1:3])


def _check_unpadded(forward: Forward) -> None:
    """A network that gives fewer pixels than it sees must not pad anywhere."""
    for node in read_graph(forward.model).nodes:
        if _pads(node.operation):
            raise ValueError(
                f"overlap='exact' needs a network that pads everywhere or nowhere: "
                f"{forward.model.name!r} gives fewer pixels than it sees, and its layer "
                f"{node.name!r} pads; pass overlap=pixels"
            )


def _check_parity(forward: Forward, field: ReceptiveField, size: _Size) -> None:
    """Keras's strided "same" layers begin elsewhere for sizes that their stride does not divide."""
    if all(n % stride == 0 for n, stride in zip(size, field.stride, strict=True)):
        return
    graph = read_graph(forward.model, size)
    for node in graph.nodes:
        height_and_width = graph.tensors[node.inputs[0]].shape[1:3]
        if any(_shifts(node, axis, n) for axis, n in enumerate(height_and_width)):
            raise ValueError(
                f"overlap='exact' can't hold for a picture of {size}: layer {node.name!r} is "
                f"padded by other amounts where its stride does not divide the size; pad the "
                f"picture to a multiple of {field.stride}, begin the model with "
                "semseg.layers.PadToMultiple, or pass overlap=pixels"
            )


def _pads(layer: Any) -> bool:
    """Whether outputs at the border are computed in another way than those inside."""
    if isinstance(layer, layers.ZeroPadding2D | BilinearUpsampling2D):
        return True
    if isinstance(layer, layers.UpSampling2D):
        return bool(layer.interpolation != "nearest")
    if isinstance(layer, LearnedUpsampling2D):
        return bool(layer.kernel_size > layer.factor)
    sides = [_window(layer, axis) for axis in (0, 1)]
    # At the border, a transposed convolution has fewer windows that overlap, padded or not.
    padded = layer.__class__ is layers.Conv2DTranspose or getattr(layer, "padding", 0) == "same"
    return padded and any(kernel > stride for kernel, stride in sides)


def _shifts(node: Node, axis: int, length: int | None) -> bool:
    layer = node.operation
    if length is None or getattr(layer, "padding", None) != "same":
        return False
    if isinstance(layer, layers.Conv2DTranspose):
        return False
    kernel, stride = _window(layer, axis)
    left = length % stride or stride
    return max(kernel - left, 0) // 2 != max(kernel - stride, 0) // 2


def _window(layer: Any, axis: int) -> _Size:
    """Kernel and stride of a convolution or pooling; 1 and 1 of anything else."""
    kernel = getattr(layer, "kernel_size", getattr(layer, "pool_size", 1))
    kernel, stride, dilation = (
        n if isinstance(n, int) else n[axis]
        for n in (kernel, getattr(layer, "strides", 1), getattr(layer, "dilation_rate", 1))
    )
    return (kernel - 1) * dilation + 1, stride
