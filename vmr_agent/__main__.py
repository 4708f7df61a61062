"""``python -m vmr_agent`` is ``vmr``."""

from vmr_agent.cli.guard import guard


def main() -> None:
    """Run the command line, guarded before anything else is imported."""
    guard()
    from vmr_agent.cli import app

    app.main()


if __name__ == "__main__":
    main()
