"""Answers in other programs' formats: one schema, ``RunReport``, and one small function a format.

    from vmr_agent.export import FORMATS, text, write
    write(report, "moments.srt")                 # which format is told by the name's ending
    write(report, "list.vtt", "vtt-chapters")    # or by its own name
    write(reports, "answers.jsonl")              # json, jsonl and csv take several reports
    text(report, "edl")                          # the same as a string

What films and questions say is data: no format lets it become syntax, a tag or a formula.
"""

from vmr_agent.export.formats import FORMATS, Format, by_suffix, named, notes, text, write
from vmr_agent.export.reading import read

__all__ = ["FORMATS", "Format", "by_suffix", "named", "notes", "read", "text", "write"]
