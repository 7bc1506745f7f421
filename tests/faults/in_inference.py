"""Faults in prediction: tiles, views, folders."""

from faults.fault import Fault

TILES, WINDOWS = "tests/inference/test_tiling.py", "tests/inference/test_windows.py"
ARRAYS = "tests/inference/test_tiled_arrays.py"
FOLDERS = "tests/inference/test_folders.py"

FAULTS = [
    Fault(
        "tile-margin-one-short",
        "semseg/inference/windows.py",
        "return _up(self.before, self.stride), _up(self.after, self.stride)",
        "return _up(self.before - 1, self.stride), _up(self.after, self.stride)",
        (WINDOWS,),
    ),
    Fault(
        "tile-off-the-stride",
        "semseg/inference/windows.py",
        "tile = tile // axis.stride * axis.stride",
        "tile = tile // 1",
        (WINDOWS,),
    ),
    Fault(
        "tile-beyond-the-picture",
        "semseg/inference/windows.py",
        "Window(start, min(stop, length), kept_from",
        "Window(start, stop, kept_from",
        (WINDOWS,),
    ),
    Fault(
        "tile-kept-to-its-end",
        "semseg/inference/windows.py",
        "(a.stop + b.start) // 2",
        "a.stop",
        (WINDOWS,),
    ),
    Fault(
        "mirror-repeats-the-edge",
        "semseg/inference/tiling.py",
        "np.abs(places) % period",
        "np.where(places < 0, -1 - places, places) % period",
        (f"{TILES}::test_unpadded_along_one_side_is_mirrored_along_that_side",),
    ),
    Fault(
        "parity-of-strided-layers-ignored",
        "semseg/inference/axes.py",
        "return max(kernel - left, 0) // 2 != max(kernel - stride, 0) // 2",
        "return False",
        (f"{TILES}::test_strided_layers_are_exact_where_their_stride_divides_the_picture",),
    ),
    Fault(
        "blend-forgets-the-row-above",
        "semseg/inference/blending.py",
        "sums[: len(above)] += above",
        "sums[: len(above)] += 0 * above",
        (f"{TILES}::test_gaussian_at_seams_of_rows_and_columns",),
    ),
    Fault(
        "blend-resumed-without-the-row-above",
        "semseg/inference/tiling.py",
        "if tile[1].stop > missing[0]",
        "if tile[1].start >= missing[0]",
        (f"{ARRAYS}::test_a_call_after_an_interruption_computes_what_is_missing",),
    ),
    Fault(
        "record-of-another-picture",
        "semseg/inference/tile_output.py",
        "weights_digest(forward.model), picture()",
        "weights_digest(forward.model)",
        (f"{ARRAYS}::test_a_record_of_another_prediction_is_refused",),
    ),
    Fault(
        "changes-in-memory-dropped",
        "semseg/inference/mapped_files.py",
        'array.mode != "c"',
        'array.mode != "x"',
        (f"{ARRAYS}::test_a_source_is_anything_with_a_shape_and_slices",),
    ),
    Fault(
        "view-turned-back-the-wrong-way",
        "semseg/inference/views.py",
        "np.rot90(scores, -quarters, axes=(1, 2))",
        "np.rot90(scores, quarters, axes=(1, 2))",
        ("tests/inference/test_views.py::test_turns_and_mirror_images_come_back_exactly",),
    ),
    Fault(
        "softmax-twice",
        "semseg/inference/forward.py",
        "if output == self.kind:",
        'if output == "logits":',
        ("tests/inference/test_prediction.py::test_probabilities_are_the_softmax_of_the_logits",),
    ),
    Fault(
        "half-file-is-kept",
        "semseg/_writing.py",
        "half.unlink(missing_ok=True)",
        "os.replace(half, path)",
        (f"{FOLDERS}::test_a_full_disk_is_an_error_and_what_is_written_stays",),
    ),
    Fault(
        "shard-begins-one-late",
        "semseg/inference/folder_jobs.py",
        "slice(number, None, count)",
        "slice(number + 1, None, count)",
        (f"{FOLDERS}::test_jobs_are_sorted_and_shards_take_turns",),
    ),
    Fault(
        "foreign-file-is-a-mask",
        "semseg/inference/folders.py",
        "if (folder / job.name).exists():",
        "if not job.name:",
        (f"{FOLDERS}::test_files_that_no_call_wrote_are_no_masks",),
    ),
]
