"""``python -m vmr_agent`` is ``vmr``."""

import os
import sys

from vmr_agent import threads
from vmr_agent.cli.guard import CUT_SHORT, STOPPED, guard


def main() -> None:
    """Run the command line, guarded before anything else is imported."""
    if sys.argv[1:2] == ["serve"]:  # which ends in order, by itself
        os.environ.update({**threads.ONE, **os.environ})
    else:
        guard(CUT_SHORT if sys.argv[1:2] == ["cut"] else STOPPED)
    from vmr_agent.cli import app

    app.main()


if __name__ == "__main__":
    main()
