"""The official scripts themselves on made-up answers, where checkouts are: ``VMR_OFFICIAL=FOLDER``.

``FOLDER/moment_detr`` and ``FOLDER/qvm2`` have their ``standalone_eval``; they want scikit-learn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from world import made

from vmr_agent.metrics import qvhighlights, qvm2

FOLDER = os.environ.get("VMR_OFFICIAL")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="NOT COMPARED with the official scripts: set VMR_OFFICIAL to checkouts"
)
SEEDS = range(100, 112)
RUN = """
import contextlib, io, json, sys
from standalone_eval.eval import eval_submission
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()):
        found = eval_submission(*json.loads(line), verbose=False)
    print(json.dumps(found))
"""


@pytest.mark.parametrize(("name", "scorer"), [("moment_detr", qvhighlights), ("qvm2", qvm2)])
def test_no_figure_differs(name: str, scorer: Any) -> None:
    worlds = [made(seed) for seed in SEEDS]
    run = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=Path(FOLDER or "") / name,
        env={**os.environ, "PYTHONPATH": ""},
        input="".join(json.dumps(each) + "\n" for each in worlds),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in run.stdout.splitlines()]
    assert [scorer.evaluate(*each) for each in worlds] == told
