import matplotlib.pyplot
import pytest


@pytest.fixture(autouse=True)
def off_screen():
    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")
