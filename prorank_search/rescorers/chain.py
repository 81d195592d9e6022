"""Several rescorers in a row: a cheap one sees all texts, and leaves out those that the next one need not see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prorank_search import plugins
from prorank_search.blend import zscore
from prorank_search.errors import ConfigError, RescorerError
from prorank_search.protocols import Closing, Rescorer
from prorank_search.settings import Settings
from prorank_search.types import RescorerInfo, Scored, ScoreRequest

_OWN = {"rescorer", "model", "max_length_tokens"}
"""Settings that each part of a chain may have for itself."""


@dataclass(frozen=True, slots=True)
class Part:
    """One rescorer of a chain.

    Attributes:
        rescorer: It.
        keep: How many of the texts it leaves to the next one; None: all.
        weight: Of its z-score in the sum that is the chain's score.
    """

    rescorer: Rescorer
    keep: int | None = None
    weight: float = 0.0


class ChainRescorer:
    """Scores with the last rescorer what the ones before it kept. Safe from many threads where they are.

    The score is the last rescorer's own; where others have a weight too, the sum of all z-scores over the kept texts.
    What was left out has no score, and ranks by the score of the rescorer that left it out.

    Args:
        parts: In the order in which they score.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._names = _names([part.rescorer.info.model for part in parts])
        self._blended = any(part.weight for part in parts[:-1])

    @property
    def revision(self) -> str:
        """The parts' revisions, how many texts each keeps, and its weight."""
        return " > ".join(f"{part.rescorer.revision}:{part.keep}:{part.weight}" for part in self._parts)

    @property
    def info(self) -> RescorerInfo:
        """What the last part says of itself, with the first one's window and the time of all."""
        infos = [part.rescorer.info for part in self._parts]
        first, last = infos[0], infos[-1]
        window = first.window_size
        shares = [texts / window for texts in self._texts_of(window)]
        return RescorerInfo(
            model=" > ".join(self._names),
            calibration=None if self._blended else last.calibration,
            blend=None if self._blended else last.blend,
            reason="; ".join(dict.fromkeys(info.reason for info in infos if info.reason)),
            window_size=window,
            seconds_a_text=sum(info.seconds_a_text * share for info, share in zip(infos, shares, strict=True)),
            passages_per_hit=first.passages_per_hit,
            texts_apart=False,
        )

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score what is kept to the end; each answer tells what every part said.

        Raises:
            RescorerError: One of them failed.
        """
        answers = [Scored(None)] * len(request.texts)
        kept = list(range(len(request.texts)))
        for name, part in zip(self._names, self._parts, strict=True):
            for at, scored in zip(kept, _scores(part, request, kept), strict=True):
                answers[at] = _with_part(answers[at], name, scored)
            kept = [at for at in kept if answers[at].score is not None]
            best = sorted(kept, key=lambda at: -answers[at].reached[1])[: part.keep]
            for at in set(kept).difference(best):
                answers[at] = replace(answers[at], score=None, left_out=True)
            kept = sorted(best)
        if self._blended:
            for at, score in zip(kept, self._sums([answers[at] for at in kept]), strict=True):
                answers[at] = replace(answers[at], score=score)
        return answers

    def with_each(self, change: Callable[[Rescorer], Rescorer]) -> ChainRescorer:
        """Return the chain with each of its rescorers changed, such as put behind a cache."""
        return ChainRescorer([replace(part, rescorer=change(part.rescorer)) for part in self._parts])

    def close(self) -> None:
        """Close its rescorers."""
        for part in self._parts:
            if isinstance(part.rescorer, Closing):
                part.rescorer.close()

    def _texts_of(self, window: int) -> list[int]:
        """Return how many texts of a window each part sees."""
        seen = [window]
        for part in self._parts[:-1]:
            seen.append(min(seen[-1], part.keep or seen[-1]))
        return seen

    def _sums(self, kept: Sequence[Scored]) -> list[float]:
        weighted = [
            [part.weight * score for score in zscore([scored.parts[name] for scored in kept])]
            for name, part in zip(self._names, self._parts, strict=True)
        ]
        return [sum(scores) for scores in zip(*weighted, strict=True)]


def open_rescorer(settings: Settings) -> ChainRescorer:
    """Open every rescorer of the settings' `chain`.

    Raises:
        ConfigError: There is no chain, or one of its rescorers cannot be opened.
    """
    parts = [plugins.load("rescorers", own.rescorer)(own) for own in part_settings(settings)]
    return ChainRescorer(
        [
            Part(rescorer, part.keep, part.weight if part.weight is not None else float(part is settings.chain[-1]))
            for rescorer, part in zip(parts, settings.chain, strict=True)
        ]
    )


def part_settings(settings: Settings) -> list[Settings]:
    """Return the settings that each rescorer of a chain is opened with.

    Raises:
        ConfigError: There are fewer than two, one is a chain itself, or the last one is to keep texts for a next one.
    """
    chain = settings.chain
    if len(chain) < 2 or chain[-1].keep is not None or any(part.rescorer == "chain" for part in chain):  # noqa: PLR2004
        raise ConfigError(
            "the rescorer chain needs a chain of at least two rescorers, such as "
            '[{ rescorer = "embedding", model = "bge-small-en-v1.5", keep = 12 }, { rescorer = "prorank" }]; '
            "the last one keeps nothing, and none is a chain"
        )
    return [settings.changed(part.model_dump(include=_OWN, exclude_none=True)) for part in chain]


def _scores(part: Part, request: ScoreRequest, kept: Sequence[int]) -> list[Scored]:
    scored = part.rescorer.score(replace(request, texts=[request.texts[at] for at in kept]))
    if len(scored) != len(kept):
        raise RescorerError(f"{part.rescorer.info.model!r} gave {len(scored)} scores for {len(kept)} texts")
    return scored


def _with_part(before: Scored, name: str, scored: Scored) -> Scored:
    if scored.score is None:
        return replace(before, score=None)
    return replace(scored, parts={**before.parts, name: scored.score})


def _names(models: Sequence[str]) -> list[str]:
    """Return a name for each part: its model's, with a number where it has a part twice."""
    return [
        model if model not in models[:at] else f"{model} ({1 + models[:at].count(model)})"
        for at, model in enumerate(models)
    ]
