"""``python -m vmr_agent`` is ``vmr``."""

from vmr_agent.cli import main

main()
