"""``vmr doctor``: what is fit on this machine, and what to do about the rest."""

from __future__ import annotations

from vmr_agent.cli.streams import answer, work


def doctor() -> None:
    """Check this machine: models and weights.

    Says which would do what, and whether every weight file is the recorded one.
    """
    with work(quiet=True):
        from vmr_agent.doctor import examine

        lines, healthy = examine()
    answer("".join(f"{line}\n" for line in lines), 0 if healthy else 3)
