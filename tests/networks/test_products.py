"""Products of small matrices and a few vectors are those of NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.networks import products
from workshop.networks.products import add_product, fill, middle, rounded, strips


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 3), rows=st.integers(1, 40), columns=st.integers(1, 200), streams=st.integers(1, 6),
    half=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_product_is_that_of_numpy(count: int, rows: int, columns: int, streams: int, half: bool, seed: int) -> None:
    """Of any matrix of several, with numbers that lie apart; one stream in two parts, which two cores make."""
    rng = np.random.default_rng(seed)
    matrices = rng.normal(size=(count, rows, columns)).astype(np.float32)
    x = rng.normal(size=(streams, rows + 3)).astype(np.float32)
    before = rng.normal(size=(streams, columns)).astype(np.float32)
    packed, found = strips(matrices, streams, half), fill(before)
    half_way = middle(found.shape[1]) if streams == 1 else 0
    for first, last in ((0, half_way), (half_way, found.shape[1])):
        add_product(packed, count - 1, first, last, x, 2, rows + 3, found)
    exact = before + x[:, 2 : 2 + rows].astype(float) @ (rounded(matrices) if half else matrices)[-1]
    assert np.allclose(found[:, :columns], exact, atol=1e-4)
    assert not found[:, columns:].any()


@pytest.mark.parametrize("half", [False, True])
def test_a_stream_is_the_same_alone_and_among_others(half: bool) -> None:
    """To the last bit, where the processor has an instruction for half precision and where it has not."""
    rng = np.random.default_rng(0)
    matrices, x = rng.normal(size=(1, 50, 96)).astype(np.float32), rng.normal(size=(5, 50)).astype(np.float32)
    together, found = np.zeros((5, 96), np.float32), []
    add_product(strips(matrices, 5, half), 0, 0, 96, x, 0, 50, together)
    for can in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(products, "HALF", can and products.HALF)
            alone = np.zeros((5, 96), np.float32)
            for row, out in zip(x, alone, strict=True):
                add_product(strips(matrices, 1, half), 0, 0, 96, row[None], 0, 50, out[None])
        found.append(alone.tobytes())
    assert found == [together.tobytes()] * 2


def test_half_precision_takes_half_the_room_and_no_weight_becomes_infinite() -> None:
    weights = np.array([[[1.0, 1e9, -1e9, 3e-9, 1 / 3, *range(59)]]], np.float32)
    assert rounded(weights)[0, 0, :5].tolist() == [1.0, 65504.0, -65504.0, 0.0, 0.333251953125]
    assert np.isfinite(rounded(weights)).all()
    if products.HALF:
        assert strips(weights, 1, half=False).nbytes == 2 * strips(weights, 1, half=True).nbytes
