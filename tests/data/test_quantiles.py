import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.sketch import Digest
from etude.data.quantiles import exact_quantiles

LEVELS = [0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4000), st.integers(1, 7), st.sampled_from(["normal", "heavy", "two", "few"]), st.integers(0, 999))
def test_quantiles_in_chunks_are_those_of_the_whole(count, num_chunks, kind, seed):
    rng = np.random.default_rng(seed)
    values = {
        "normal": lambda: rng.normal(size=(count, 2)),
        "heavy": lambda: rng.standard_cauchy((count, 2)),
        "two": lambda: rng.integers(0, 2, (count, 2)).astype(float),
        "few": lambda: rng.normal(size=5)[rng.integers(0, 5, (count, 2))],
    }[kind]()
    chunks = [chunk for chunk in np.array_split(values, num_chunks) if len(chunk)]
    told = Digest.merge([Digest.of(chunk) for chunk in chunks])
    np.testing.assert_allclose(
        exact_quantiles(lambda: chunks, told, LEVELS), np.quantile(values, LEVELS, axis=0), rtol=1e-12
    )


def test_values_of_any_shape_and_type():
    values = np.random.default_rng(0).normal(size=(3000, 2, 3)).astype(np.float32)
    chunks = np.array_split(values, 3)
    found = exact_quantiles(lambda: chunks, Digest.of(values), [0.1, 0.5])
    np.testing.assert_allclose(found, np.quantile(values.astype(float), [0.1, 0.5], axis=0))
