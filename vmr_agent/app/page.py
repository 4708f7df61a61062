"""The page, laid out and drawn by Gradio: the only module that does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

import gradio as gr
from fastapi import FastAPI

from vmr_agent.app.acts import Acts, Changes, Past

FONTS = "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"
TITLE = "vmr · moments from film"
HEAD = "<h1>vmr</h1><p>Ask a film when something happens.</p>"
Parts = dict[str, Any]


def mount(site: FastAPI, acts: Acts, endings: Iterable[str], largest: int) -> None:
    """Put the page at the root of the site; files with these ``endings`` can be uploaded, and
    ``largest`` bytes of one at most."""
    gr.mount_gradio_app(
        *(site, _page(acts, sorted(endings)), "/"),
        max_file_size=largest,
        show_error=False,
        footer_links=[],
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        **_looks(),
    )


def _page(acts: Acts, endings: list[str]) -> gr.Blocks:
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with blocks:
        parts = _laid_out(acts.choices(Past()), endings)
        parts["past"] = gr.State(Past())
        _wire(blocks, parts, acts)
    return blocks


def _looks() -> dict[str, Any]:
    """What it is mounted with: fonts of the machine it is seen on, and nothing from elsewhere."""
    theme = gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        font=[gr.themes.Font(name) for name in FONTS],
        font_mono=[gr.themes.Font("monospace")],
    )
    script = f"<script>{_read('page.js')}</script>"
    return {"theme": theme, "css": _read("page.css"), "head": script}


def _laid_out(films: list[tuple[str, str]], endings: list[str]) -> Parts:
    parts: Parts = {}
    only = films[0][1] if len(films) == 1 else None
    _html("head", HEAD)
    with gr.Row(elem_id="vmr-columns"):
        with gr.Column(scale=5, min_width=320):
            with gr.Row(elem_id="vmr-choose"):
                parts["film"] = gr.Dropdown(films, value=only, label="Film", elem_id="vmr-film")
                parts["upload"] = gr.UploadButton(
                    "Upload a film", file_types=endings, elem_id="vmr-upload"
                )
            for name in ("facts", "player", "timeline", "stages"):
                parts[name] = _html(name)
            parts["index"] = gr.Button("Index this film", visible=False, elem_id="vmr-index")
        with gr.Column(scale=4, min_width=320):
            parts |= _asking()
    return parts


def _asking() -> Parts:
    hint = "a cup of coffee on a wooden table"
    parts: Parts = {
        "question": gr.Textbox(
            label="Question", placeholder=hint, max_lines=3, elem_id="vmr-question"
        )
    }
    with gr.Row(elem_id="vmr-buttons"):
        parts["ask"] = gr.Button("Ask", variant="primary", elem_id="vmr-ask")
        parts["stop"] = gr.Button("Stop", variant="stop", visible=False, elem_id="vmr-stop")
    parts["status"], parts["answer"] = _html("status"), _html("answer")
    parts["asked"] = gr.Radio([], label="Questions so far", visible=False, elem_id="vmr-asked")
    return parts


def _wire(blocks: gr.Blocks, parts: Parts, acts: Acts) -> None:
    """Every event; none of them is an interface for others."""
    quiet: Any = {
        "outputs": list(parts.values()),
        "api_visibility": "private",
        "show_progress": "hidden",
    }
    busy: Any = {**quiet, "concurrency_limit": None}  # runs take turns by themselves, and say so
    at_once: Any = {"api_visibility": "private", "concurrency_limit": None}
    film, past, question = parts["film"], parts["past"], parts["question"]

    def look(key: str, request: gr.Request) -> Iterator[Parts]:
        yield from _each(parts, acts.look(key, _name(request)))

    def ask(key: str, question: str, past: Past, request: gr.Request) -> Iterator[Parts]:
        yield from _each(parts, acts.ask(key, question, past, _name(request)))

    def stop(request: gr.Request) -> None:
        acts.stop(_name(request))

    def choose(key: str, past: Past, request: gr.Request) -> Parts:
        acts.stop(_name(request))  # what is at work is about another film
        return _placed(parts, acts.choose(key, past))

    def take_in(path: str, past: Past, request: gr.Request) -> Parts:
        acts.stop(_name(request))
        return _placed(parts, acts.take_in(path, past))

    def recall(key: str, past: Past) -> Parts:
        return _placed(parts, acts.recall(key, past))

    blocks.load(choose, [film, past], **quiet)
    film.input(choose, [film, past], **quiet)
    parts["upload"].upload(take_in, [parts["upload"], past], **quiet)
    parts["index"].click(look, [film], **busy)
    gr.on([parts["ask"].click, question.submit], ask, [film, question, past], **busy)
    parts["stop"].click(stop, **at_once)
    parts["asked"].input(recall, [parts["asked"], past], **quiet)
    blocks.unload(stop)


def _each(parts: Parts, changes: Iterator[Changes]) -> Iterator[Parts]:
    for change in changes:
        yield _placed(parts, change)


def _placed(parts: Parts, changes: Changes) -> Parts:
    """By component, as Gradio wants it."""
    return {
        parts[name]: gr.update(**new) if isinstance(new, dict) else new
        for name, new in changes.items()
    }


def _html(name: str, value: str = "") -> gr.HTML:
    return gr.HTML(value, elem_id=f"vmr-{name}", js_on_load=None, apply_default_css=False)


def _name(request: gr.Request) -> str:
    """Of the page that asks."""
    return str(request.session_hash)


def _read(name: str) -> str:
    return (files("vmr_agent.app") / name).read_text(encoding="utf-8")
