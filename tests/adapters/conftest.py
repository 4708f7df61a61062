"""Temporary: the session fixtures that tests/conftest.py is to own."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def weights_home() -> Path:
    """Unpacked weights, kept between runs: ``VMR_HOME``, or ``.vmr`` at the checkout root."""
    return Path(os.environ.get("VMR_HOME") or Path(__file__).parents[2] / ".vmr")
