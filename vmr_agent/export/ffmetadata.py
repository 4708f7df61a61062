"""FFmpeg's metadata file, with one chapter a moment.

ffmpeg -i film.mp4 -i moments.ffmetadata -map_metadata 1 -codec copy film_with_chapters.mp4
"""

from __future__ import annotations

import re

from vmr_agent.export.subtitles import chapters
from vmr_agent.export.wording import question
from vmr_agent.report import RunReport

SPECIAL = re.compile(r"([=;#\\])")


def ffmetadata(report: RunReport) -> str:
    """The text of the file. What has a meaning in it is escaped; texts are one line each."""
    parts = [
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={cue.start}\nEND={cue.end}\ntitle={_escaped(cue.text)}\n"
        for cue in chapters(report)
    ]
    return "\n".join([f";FFMETADATA1\ntitle={_escaped(question(report))}\n", *parts])


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)
