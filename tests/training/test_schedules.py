"""Learning rates: PyTorch's one-cycle, Keras's polynomial, and what a saved model keeps."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.training import OneCycle, WarmupPoly

steps_of = st.integers(2, 300)
peaks = st.floats(1e-5, 10)


def rates(schedule, steps):
    return np.array(keras.ops.convert_to_numpy(schedule(np.arange(steps))), np.float64)


def test_one_cycle_has_the_numbers_of_pytorch():
    """OneCycleLR(optimizer, 1.0, total_steps=8, pct_start=0.4) of PyTorch 2.13."""
    expected = [0.04, 0.451689, 0.980557, 0.933013, 0.691343, 0.370593, 0.103327, 4e-06]
    np.testing.assert_allclose(rates(OneCycle(1.0, 8, 0.4), 8), expected, atol=2e-6)


@pytest.mark.slow
@given(st.integers(2, 50), st.floats(0.01, 0.99), peaks)
def test_one_cycle_is_that_of_pytorch(steps, rise, peak):
    if abs(rise * steps - 1) < 1e-3:
        return  # PyTorch divides by zero
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    other = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak, total_steps=steps, pct_start=rise, anneal_strategy="cos"
    )
    expected = []
    for _ in range(steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < steps:
            other.step()
    np.testing.assert_allclose(
        rates(OneCycle(peak, steps, rise), steps), expected, atol=2e-6 * peak
    )


def test_after_the_last_step_the_rate_stays():
    found = rates(OneCycle(1.0, 10), 20)
    assert (found[10:] == found[9]).all()
    assert (rates(WarmupPoly(1.0, 10, 2), 20)[10:] == 0).all()


@given(steps_of, peaks, st.floats(0.1, 3))
def test_without_warmup_poly_is_that_of_keras(steps, peak, power):
    keras_own = keras.optimizers.schedules.PolynomialDecay(peak, steps, 0.0, power)
    found = rates(WarmupPoly(peak, steps, power=power), steps + 3)
    np.testing.assert_allclose(found, rates(keras_own, steps + 3), rtol=1e-4, atol=1e-6 * peak)


@given(steps_of, st.data())
def test_the_warmup_rises_in_a_line_to_the_peak_where_the_fall_begins(steps, data):
    warmup = data.draw(st.integers(0, steps - 1))
    found = rates(WarmupPoly(2.0, steps, warmup), steps + 1)
    np.testing.assert_allclose(
        found[: warmup + 1], 2 * np.arange(1, warmup + 2) / (warmup + 1), rtol=1e-5
    )
    assert (np.diff(found[warmup:]) < 0).all()
    assert found[-1] == 0


SCHEDULES = [WarmupPoly(0.3, 20, 5, 2.0), OneCycle(0.3, 20, 0.4)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_a_saved_model_keeps_its_schedule(schedule, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(schedule), "mse")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras").optimizer._learning_rate
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    np.testing.assert_array_equal(rates(again, 25), rates(schedule, 25))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WarmupPoly(0.0, 10), "peak must be a finite number > 0, received 0.0"),
        (lambda: WarmupPoly(1.0, 10, power=-1), "power must be a finite number > 0, received -1"),
        (lambda: WarmupPoly(1.0, 10, 10), r"warmup must lie in \[0, steps\), received warmup=10"),
        (lambda: WarmupPoly(1.0, 0), r"warmup must lie in \[0, steps\), .*steps=0"),
        (lambda: OneCycle(float("nan"), 10), "peak must be a finite number > 0, received nan"),
        (lambda: OneCycle(1.0, 1), "steps must be >= 2, received 1"),
        (lambda: OneCycle(1.0, 10, 1.0), r"rise must lie in \(0, 1\), received 1.0"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
