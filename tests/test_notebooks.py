"""The notebooks are short, in step with their texts, and hold nothing of whoever wrote them.

That they run is proved by ``make prove-notebooks``, which takes minutes.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("jupytext")
pytest.importorskip("nbclient")

import nbformat

from evals import notebooks
from evals.prove import PARTS

TEXTS = notebooks.texts()
MOST = 15
MACHINE = re.compile(r"(?<![\w.])/(home|root|work|tmp|dev|Users|mnt|var)/|[A-Z]:\\\\")
each = pytest.mark.parametrize("text", TEXTS, ids=[text.stem for text in TEXTS])


def test_there_are_five_and_each_has_its_pair() -> None:
    assert len(TEXTS) == 5
    assert {path.stem for path in notebooks.FOLDER.glob("*.ipynb")} == {t.stem for t in TEXTS}
    assert PARTS["notebooks"] is notebooks.notebooks


@each
def test_a_notebook_is_its_text(text: Path) -> None:
    pair = text.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert pair == notebooks.paired(text), "write it anew: python -m evals.notebooks"


@each
def test_a_notebook_is_short_clean_and_begins_by_saying_what_it_is(text: Path) -> None:
    book = nbformat.read(text.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(book)
    assert len(book.cells) <= MOST
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith("# ")
    for cell in book.cells:
        assert not MACHINE.search(cell.source)
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            compile(cell.source, text.name, "exec")
    kinds = [cell.cell_type for cell in book.cells]
    assert all({one, other} != {"code"} for one, other in pairwise(kinds))
    assert set(book.metadata) == {"kernelspec", "jupytext"}


def test_a_notebook_that_fails_ends_the_proof(tmp_path: Path) -> None:
    text = tmp_path / "broken.py"
    text.write_text("# %%\nprint('a')\nraise ValueError('told so')\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"broken\.py does not run:(.|\n)*told so"):
        notebooks.executed(text, tmp_path)


def test_what_ran_is_measured(tmp_path: Path) -> None:
    text = tmp_path / "fine.py"
    lines = "# %% [markdown]\n# hello\n\n# %%\nimport os\nprint(os.environ['VMR_HOME'])\n"
    text.write_text(lines, encoding="utf-8")
    seen = []
    found = notebooks.executed(text, tmp_path, seen.append)
    assert found["cells"] == 2
    assert json.dumps(seen[0]).count(str(tmp_path)) == 1
