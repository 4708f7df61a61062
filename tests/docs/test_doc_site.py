"""The site is built strictly: each link and anchor leads somewhere, and nothing is fetched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import PAGES, ROOT

CONFIG = ROOT / ".ci" / "mkdocs.yml"
FETCHED = re.compile(
    r"""<(?:script|link|img|iframe|source|video|audio|use)\b[^>]*?\b(?:src|href|srcset)="?(\w+:|//)"""
)
"""What a browser asks for by itself, at another host."""
STYLED = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])(?:https?:|//)")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", CONFIG, "-d", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "true", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built_and_in_the_plan(site: Path) -> None:
    plan = CONFIG.read_text(encoding="utf-8")
    for page in PAGES[1:]:
        inside = page.relative_to(ROOT / "docs")
        assert (site / inside).with_suffix(".html").is_file()
        assert f" {inside.as_posix()}\n" in plan


def test_a_browser_asks_nobody_else(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        found = FETCHED.search(page.read_text(encoding="utf-8"))
        # The canonical address is for search engines; there is none.
        assert found is None, f"{page.name}: {found and found[0]}"
    for sheet in site.rglob("*.css"):
        assert not STYLED.search(sheet.read_text(encoding="utf-8")), sheet.name


def test_the_reference_has_what_the_door_plate_offers(site: Path) -> None:
    import vmr_agent

    text = (site / "reference.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'id="(vmr_agent\.[\w.]+)"', text))
    ends = {each.rpartition(".")[2] for each in ids}
    assert set(vmr_agent.__all__) - {"__version__"} <= ends
    assert "Probability from which a proposal is a moment" in text


def test_a_link_that_leads_nowhere_breaks_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[gone](gone.md) [lost](#lost)\n# There\n")
    rules = CONFIG.read_text(encoding="utf-8").partition("validation:")[2].partition("nav:\n")[0]
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\nvalidation:{rules}")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode
    assert "gone.md" in done.stderr
    assert "#lost" in done.stderr


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)", text)
    assert links
    assert [each for each in links if "://" not in each and not (ROOT / each).exists()] == []
    assert all(each.startswith("https://") for each in links if "://" in each)
