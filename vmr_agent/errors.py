"""Errors, classed by whose fault they are.

    VmrError
    ├── CallerError              the call cannot work as made: raised at the door, before work
    │   ├── VideoNotFoundError   no such file, or not a regular file
    │   ├── VideoUnreadableError nothing in the file can be decoded
    │   ├── VideoTooLargeError   more pixels in a frame than the settings allow
    │   ├── QueryError           empty, or longer than a question
    │   ├── SettingsError        settings that contradict each other
    │   ├── TrainingError        nothing can be learned from that, or it was begun otherwise
    │   ├── ScoringError         predictions or a truth of which there are no figures
    │   └── ExportError          an answer that cannot be told in that form, or is none
    ├── MachineError             something this machine lacks: says what to install or lower
    │   ├── WeightsError         a weight file is missing or is not the one expected
    │   └── ShelfError           the shelf cannot be written or read
    ├── ServiceError             a service that was asked for did not answer
    │   ├── ChatRefusedError     the chat endpoint turns us down: key, model or address are wrong
    │   ├── ChatTooLongError     one question was longer than the model's context
    │   ├── ChatBusyError        it has too much to do, or a fault of its own, after every try
    │   ├── ChatTimeoutError     no whole answer within the deadline
    │   ├── ChatDeclinedError    the model would not answer
    │   ├── ChatAnswerError      an answer that nothing can be made of
    │   │   └── ChatFormError    the endpoint does not take a request of this form
    │   └── BudgetSpent          what the question may cost is spent
    └── Stopped                  the run was broken off; what was finished is kept

Anything else that escapes is a bug of ours. Every message is one line that says what to do.
"""


class VmrError(Exception):
    """Base of all errors raised on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 3


class CallerError(VmrError):
    """The call cannot work as made."""

    exit_code = 2


class VideoNotFoundError(CallerError):
    """There is no regular file at the path."""


class VideoUnreadableError(CallerError):
    """Neither picture nor sound of the file can be decoded."""


class VideoTooLargeError(CallerError):
    """More pixels in a frame, bytes in a download, or memory than the settings allow."""


class QueryError(CallerError):
    """The query is empty, or too long to be a question."""


class SettingsError(CallerError):
    """The settings contradict each other or name something unknown.

    ``Settings(…)`` itself raises pydantic's ValidationError for a value that cannot be.
    """


class TrainingError(CallerError):
    """Nothing can be learned from that data, or what lies in the folder was begun otherwise."""


class ScoringError(CallerError):
    """Predictions and a truth that cannot be scored as they are."""


class ExportError(CallerError):
    """An answer that cannot be told in that form, a clip that cannot be cut, or no answer."""


class MachineError(VmrError):
    """Something that this machine lacks."""


class WeightsError(MachineError):
    """A weight file is missing or its SHA-256 is not the recorded one."""


class ShelfError(MachineError):
    """The shelf on disk cannot be written or read."""


class ServiceError(VmrError):
    """A service that the settings ask for did not answer."""

    tries = 0
    """Requests that were sent all the same."""

    def __init__(
        self, message: str, tokens_in: int | None = None, tokens_out: int | None = None
    ) -> None:
        super().__init__(message)
        self.tokens_in, self.tokens_out = tokens_in, tokens_out
        """What they cost, where the service said so."""


class ChatRefusedError(ServiceError):
    """The chat endpoint turns us down, whatever is asked: key, model or address are wrong."""


class ChatTooLongError(ServiceError):
    """One question was longer than the model's context; a shorter one may still fit."""


class ChatBusyError(ServiceError):
    """The chat endpoint has too much to do, cannot be reached, or has a fault of its own."""


class ChatTimeoutError(ServiceError):
    """No whole answer came within ``chat.deadline``."""


class ChatDeclinedError(ServiceError):
    """The model would not answer."""


class ChatAnswerError(ServiceError):
    """An answer came that nothing can be made of."""


class ChatFormError(ChatAnswerError):
    """The endpoint does not take a request of this form."""


class BudgetSpent(ServiceError):  # noqa: N818 - it is no mistake of anybody's
    """What one question may cost is spent."""


class Stopped(VmrError):  # noqa: N818 - it is no mistake of anybody's
    """The run was broken off; what was finished is kept."""
