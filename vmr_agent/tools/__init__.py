"""The rooms: pure functions, records in, records out. No room knows another."""

from vmr_agent.tools.caption import caption
from vmr_agent.tools.detect_shots import detect_shots, keyed, take
from vmr_agent.tools.embed_frames import embed_frames, embed_reel
from vmr_agent.tools.filter_relevance import filter_relevance
from vmr_agent.tools.ground import ground, placed
from vmr_agent.tools.index_video import index_video, missing, register
from vmr_agent.tools.listen import listen, listen_block
from vmr_agent.tools.read_text import read_reel, read_text
from vmr_agent.tools.retrieve import retrieve
from vmr_agent.tools.search import search
from vmr_agent.tools.transcribe import transcribe, transcribe_block
from vmr_agent.tools.trim import trim
from vmr_agent.tools.understand import check, understand
from vmr_agent.tools.verify import verify
from vmr_agent.tools.widen import nearest, widen

__all__ = [
    "caption",
    "check",
    "detect_shots",
    "embed_frames",
    "embed_reel",
    "filter_relevance",
    "ground",
    "index_video",
    "keyed",
    "listen",
    "listen_block",
    "missing",
    "nearest",
    "placed",
    "read_reel",
    "read_text",
    "register",
    "retrieve",
    "search",
    "take",
    "transcribe",
    "transcribe_block",
    "trim",
    "understand",
    "verify",
    "widen",
]
