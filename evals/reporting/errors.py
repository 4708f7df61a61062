"""Why there is no report."""

from vmr_agent import VmrError


class ReportError(VmrError):
    """Runs that cannot be reported on, or not together; the message says so in one line."""

    exit_code = 2
