from types import SimpleNamespace

import pytest

from semseg.analysis import latencies, latency


def test_the_median_of_what_follows_two_predictions(monkeypatch):
    took = iter([100.0, 50.0, 3.0, 9.0, 4.0])
    now = [0.0]
    seen = []

    def predict_on_batch(picture):
        seen.append((picture.shape, picture.dtype))
        now[0] += next(took)

    monkeypatch.setattr(latencies.time, "perf_counter", lambda: now[0])
    model = SimpleNamespace(input_shape=(None, None, None, 4), predict_on_batch=predict_on_batch)
    assert latency(model, (5, 7), rounds=3) == 4.0
    assert seen == [((1, 5, 7, 4), "uint8")] * 5


@pytest.mark.parametrize("wrong", [{"size": (0, 4)}, {"size": (4, 4), "rounds": 0}])
def test_what_can_not_be_is_refused(wrong):
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        latency(SimpleNamespace(input_shape=(None, None, None, 3)), **wrong)
