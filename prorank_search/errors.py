"""Every error that this project raises on purpose.

    ProRankError                         exit 1
    +-- ConfigError                      exit 2   settings, profiles, recipes, flags
    |   +-- UnknownPluginError                    a backend, rescorer or reader nobody installed
    |   +-- MissingExtraError                     a feature whose extra is not installed
    |   +-- MissingModelError                     a model that was never pulled
    |   +-- MissingArtifactError                  a Maven artifact that cannot be had, or is not the pinned one
    |   +-- EngineBusyError                       another local server runs, or is being started
    |   +-- CheckpointError                       a checkpoint that fails its contract
    +-- InputError                       exit 3   HTTP 400   a query, document, file or request that cannot be used
    |   +-- IndexNotFoundError                    HTTP 404
    |   +-- TooLargeError                         HTTP 413
    |   +-- TooSlowError                          HTTP 408   a request that was not sent in time
    |   +-- UnknownModelError                     HTTP 404   a model that this service does not have
    |   +-- NothingToScoreError                   a request without any document
    |   +-- DocumentsRefusedError                 documents that a backend does not take; the others are in
    +-- AuthError                        exit 4   HTTP 401/403
    +-- BackendError                     exit 4   HTTP 502   the first stage failed
    |   +-- IndexLockedError                      another process writes into the index
    |   +-- EngineError                           an engine answered with an error: its status, type and reason
    |   +-- UnreachableError                      an engine did not answer
    |   +-- AnswerTooLargeError                   an engine's answer over a stated limit
    +-- RescorerError                    exit 5   HTTP 500   the second stage failed
    |   +-- OverloadedError                       HTTP 429
    +-- NotReadyError                    exit 5   HTTP 503   the model is still loading

A message says what failed, the value, and what to do. Catch `ProRankError` to catch them all.
"""

from __future__ import annotations

from collections.abc import Mapping


class ProRankError(Exception):
    """Base of all errors raised on purpose; anything else is a bug of ours."""

    exit_code = 1


class ConfigError(ProRankError):
    """A setting, profile, recipe or flag that cannot be used."""

    exit_code = 2


class UnknownPluginError(ConfigError):
    """A plugin name that nobody installed."""


class MissingExtraError(ConfigError):
    """A feature whose extra is not installed."""


class MissingModelError(ConfigError):
    """A model that is not on this machine: nothing is fetched unless asked for."""


class MissingArtifactError(ConfigError):
    """A Maven artifact that cannot be had, or is not the pinned one."""


class EngineBusyError(ConfigError):
    """Another local server runs, or another process is starting or stopping it."""


class CheckpointError(ConfigError):
    """A checkpoint that fails its contract."""


class InputError(ProRankError):
    """A query, document, file or request that cannot be used."""

    exit_code = 3


class IndexNotFoundError(InputError):
    """An index that does not exist."""


class TooLargeError(InputError):
    """An input over a stated limit."""


class TooSlowError(InputError):
    """A request whose body did not arrive in time."""


class UnknownModelError(InputError):
    """A model name that this service does not answer to."""


class NothingToScoreError(InputError):
    """A request without any document."""


class DocumentsRefusedError(InputError):
    """Documents that a backend does not take; the others that it was given are in.

    Attributes:
        reasons: What is wrong with each of them, by `doc_id`.
        details: What else a dead letter should say of them: `error_type`, `status`, `attempts`.

    Example:
        >>> str(DocumentsRefusedError({"x": "its text is longer than 1 MB"}))
        "1 document was refused: 'x': its text is longer than 1 MB"
    """

    def __init__(self, reasons: Mapping[str, str], details: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """Take at least one document's id and reason."""
        self.reasons = dict(reasons)
        self.details = dict(details or {})
        doc_id, reason = next(iter(self.reasons.items()))
        told = "1 document was refused" if len(reasons) == 1 else f"{len(reasons)} documents were refused, the first"
        super().__init__(f"{told}: {doc_id[:80]!r}: {reason}")


class AuthError(ProRankError):
    """The engine or the service refused the credentials."""

    exit_code = 4


class BackendError(ProRankError):
    """The first stage failed."""

    exit_code = 4


class IndexLockedError(BackendError):
    """Another process is writing into the index."""


class EngineError(BackendError):
    """An engine answered with an error.

    Attributes:
        status: The HTTP status.
        error_type: The engine's own word for it; empty where it has none.
        reason: What the engine says.
    """

    def __init__(self, message: str, *, status: int, error_type: str, reason: str) -> None:
        """Take what the engine told, and the message that is made of it."""
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.reason = reason


class UnreachableError(BackendError):
    """An engine did not answer.

    Attributes:
        timed_out: It took the request, and the time was over; otherwise nobody is there, or the connection was lost.
    """

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        """Take the message and what became of the request."""
        super().__init__(message)
        self.timed_out = timed_out


class AnswerTooLargeError(BackendError):
    """An engine's answer over a stated limit."""


class RescorerError(ProRankError):
    """The second stage failed. Its message is logged, so no query's or document's text may stand in it."""

    exit_code = 5


class OverloadedError(RescorerError):
    """More work is queued than can be done in time.

    Attributes:
        retry_after_s: Seconds after which there should be a place.
    """

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        """Take the message and when to try again."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotReadyError(ProRankError):
    """The model is still loading."""

    exit_code = 5
