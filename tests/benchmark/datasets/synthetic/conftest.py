import pytest

from benchmark.datasets.synthetic.dataset import synthetic
from tests.benchmark.datasets.synthetic.small import SMALL


@pytest.fixture(scope="package")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="package")
def small(cache):
    """The small set, rendered once."""
    return synthetic(cache, **SMALL)
