"""Faults in what is read from a model's graph."""

from faults.fault import Fault

FIELDS = "tests/analysis/test_receptive_fields.py"
TWINS = f"{FIELDS}::test_the_field_is_exactly_what_a_linear_twin_depends_on"
STACKS = f"{FIELDS}::test_stacks_of_any_windows_see_what_is_claimed"
COSTS = "tests/analysis/test_costs.py"
HAND = f"{COSTS}::test_parameters_and_macs_equal_the_hand_count_of_the_papers_lists"
STAGES = "tests/analysis/test_staging.py"
ACTIVATION = "tests/analysis/test_class_activations.py"

FAULTS = [
    Fault(
        "reach-one-short",
        "semseg/analysis/receptive_fields.py",
        "after=max(0, int((last - (own + width - 1)).max())),",
        "after=max(0, int((last - (own + width - 1)).max()) - 1),",
        (f"{TWINS}[unet]",),
    ),
    Fault(
        "one-place-for-the-worst",
        "semseg/analysis/receptive_fields.py",
        "np.arange(int(place.period / step))",
        "np.arange(1)",
        (f"{TWINS}[unet]",),
    ),
    Fault(
        "a-branch-forgotten",
        "semseg/analysis/receptive_fields.py",
        "seen[tensor] = np.minimum(begin, known[0]), np.maximum(end, known[1])",
        "seen.setdefault(tensor, (begin, end))",
        (f"{FIELDS}::test_branches_are_united_and_heights_are_not_widths",),
    ),
    Fault(
        "kernel-of-the-transposed-convolution-forgotten",
        "semseg/analysis/reach.py",
        "    kernel = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1",
        "    kernel = stride",
        (STACKS,),
    ),
    Fault(
        "stride-of-the-transposed-convolution-forgotten",
        "semseg/analysis/reach.py",
        "return Reach(up=stride, before=kernel - 1 - before,",
        "return Reach(up=1, before=kernel - 1 - before,",
        (f"{FIELDS}::test_the_unet_of_the_paper",),
    ),
    Fault(
        "bilinear-reads-one-neighbour",
        "semseg/analysis/reach.py",
        '_RADIUS = {"bilinear": 1,',
        '_RADIUS = {"bilinear": 0.5,',
        (f"{TWINS}[unet bilinear]",),
    ),
    Fault(
        "dilation-forgotten",
        "semseg/analysis/reach.py",
        "kernel = (layer.kernel_size[axis] - 1) * dilation + 1",
        "kernel = layer.kernel_size[axis]",
        (STACKS,),
    ),
    Fault(
        "odd-sizes-padded-like-even-ones",
        "semseg/analysis/reach.py",
        "padded = max(kernel - (length % stride or stride), 0)",
        "padded = max(kernel - stride, 0)",
        (f"{FIELDS}::test_strided_windows_lie_as_the_size_of_the_model_has_it",),
    ),
    Fault(
        "positions-of-maxima-are-not-read",
        "semseg/analysis/reach.py",
        "return Reads((reach, reach, None), like=2)",
        "return Reads((reach, None, None), like=2)",
        (f"{STAGES}::test_the_hourglass_of_segnet_hands_on_positions",),
    ),
    Fault(
        "group-normalisation-is-pointwise",
        "semseg/analysis/reach.py",
        '    layers.GroupNormalization: "takes mean and variance over the whole picture",\n',
        "",
        (f"{FIELDS}::test_what_has_no_bounded_field_is_named_and_says_why",),
    ),
    Fault(
        "softmax-over-rows-is-pointwise",
        "semseg/analysis/reach.py",
        "if any(a not in (-1, rank - 1) for a in axes):",
        "if False:",
        (f"{FIELDS}::test_what_has_no_bounded_field_is_named_and_says_why",),
    ),
    Fault(
        "alignment-is-the-last-stride",
        "semseg/analysis/places.py",
        "        period=_lcm([place.period, stride]),",
        "        period=stride,",
        (f"{FIELDS}::test_the_unet_of_the_paper",),
    ),
    Fault(
        "offset-forgotten",
        "semseg/analysis/receptive_fields.py",
        "offset = 0 if covered else math.floor(place.start)",
        "offset = 0",
        (f"{FIELDS}::test_the_unet_of_the_paper",),
    ),
    Fault(
        "nested-models-stay-closed",
        "semseg/analysis/graph.py",
        "return operation if isinstance(operation, keras.Function) else None",
        "return operation if type(operation) is keras.Function else None",
        ("tests/analysis/test_graph.py",),
    ),
    Fault(
        "groups-forgotten",
        "semseg/analysis/arithmetic.py",
        "* given[-1] // layer.groups",
        "* given[-1]",
        (f"{COSTS}::test_macs_of_a_layer_for_each_input_cell",),
    ),
    Fault(
        "transposed-convolutions-counted-by-their-outputs",
        "semseg/analysis/arithmetic.py",
        "return math.prod(given) * math.prod(layer.kernel_size) * made[-1]",
        "return math.prod(made) * math.prod(layer.kernel_size) * given[-1]",
        (f"{HAND}[unet]",),
    ),
    Fault(
        "biases-not-counted",
        "semseg/analysis/costs.py",
        "            if id(weight) not in counted:",
        "            if id(weight) not in counted and len(weight.shape) > 1:",
        (f"{HAND}[unet]",),
    ),
    Fault(
        "shared-weights-counted-twice",
        "semseg/analysis/costs.py",
        "                counted.add(id(weight))\n",
        "",
        (f"{COSTS}::test_shared_weights_count_once_and_work_twice",),
    ),
    Fault(
        "skips-freed-too-early",
        "semseg/analysis/costs.py",
        "gone = {t for t in (*node.inputs, *node.outputs) if last.get(t, i) == i}",
        "gone = set(node.inputs)",
        (f"{COSTS}::test_memory_of_a_chain_and_of_a_skip",),
    ),
    Fault(
        "skips-are-forward",
        "semseg/analysis/staging.py",
        'yield tensor, "crop" if _is_cropped(node, own) else "skip"',
        'yield tensor, "forward"',
        (f"{STAGES}::test_the_u_of_unet",),
    ),
    Fault(
        "pooling-begins-the-next-stage",
        "semseg/analysis/staging.py",
        '            key = _Key("encoder", before.stride)',
        '            key = _Key("encoder", after.stride)',
        (f"{STAGES}::test_stages_read_from_the_strides_are_those_of_our_layers_names[unet]",),
    ),
    Fault(
        "the-wrong-half-is-silenced",
        "semseg/analysis/ablation.py",
        "if coarsest < max(joined.values()) == descent.coarsest:",
        "if coarsest == descent.coarsest > min(joined.values()):",
        ("tests/analysis/test_ablation.py::test_a_silenced_skip_is_zero_where_it_is_joined",),
    ),
    Fault(
        "all-classes-are-explained",
        "semseg/analysis/effective_fields.py",
        "ops.max(graph.values",
        "ops.sum(graph.values",
        ("tests/analysis/test_effective_fields.py::test_the_predicted_class_is_what_is_explained",),
    ),
    Fault(
        "what-speaks-against-a-class-too",
        "semseg/analysis/class_activations.py",
        "cells = np.maximum(maps[0] @ weights, 0)",
        "cells = np.abs(maps[0] @ weights)",
        (ACTIVATION,),
    ),
    Fault(
        "probabilities-explained",
        "semseg/analysis/class_activations.py",
        "    end = _without_activation(last)",
        "    end = last",
        (ACTIVATION,),
    ),
    Fault(
        "one-way-out-of-a-stage",
        "semseg/analysis/class_activations.py",
        "stale.update(node.outputs)",
        "stale = set(node.outputs)",
        (ACTIVATION,),
    ),
    Fault(
        "map-stretched-over-the-padding",
        "semseg/analysis/class_activations.py",
        "step = stride if place is None else float(place.stride)",
        "step = stride if place is None else axis.length / place.length",
        (ACTIVATION,),
    ),
]
