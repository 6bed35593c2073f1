"""MLflow's flavour of scikit-learn: models that are logged and loaded.

The extra "test" does not hold MLflow, which brings a hundred packages along:

    pip install "mlflow>=3.17" && pytest tests/neighbours/test_mlflow.py
"""

import numpy as np
import pandas as pd
import pytest

from skemotion.persistence import skops_types

mlflow = pytest.importorskip(
    "mlflow", minversion="3.17", reason="heavy, and so in no extra"
)
pytestmark = pytest.mark.filterwarnings("default")  # MLflow's own are many


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'runs.db'}")

    def log(model, **options):
        with mlflow.start_run():
            return mlflow.sklearn.log_model(
                model, name="model", pip_requirements=["skemotion"], **options
            ).model_uri

    return log


@pytest.mark.parametrize(
    "options",
    [
        {"serialization_format": "skops", "skops_trusted_types": skops_types()},
        {"serialization_format": "cloudpickle"},
    ],
)
def test_models_are_logged_and_loaded(options, log, fitted, speech):
    uri = log(fitted, **options)
    loaded = mlflow.sklearn.load_model(uri)
    np.testing.assert_array_equal(
        loaded.predict_proba(speech.paths), fitted.predict_proba(speech.paths)
    )
    served = mlflow.pyfunc.load_model(uri)
    frame = pd.DataFrame({"path": speech.paths})
    np.testing.assert_array_equal(served.predict(frame), fitted.predict(speech.paths))
