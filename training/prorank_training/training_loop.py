"""What both stages have in common: go on from a state, step after step, with logs, states, and when to give up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from prorank_search.errors import ConfigError, RescorerError
from prorank_training.master_weights import MasterWeights
from prorank_training.progress import Progress
from prorank_training.run_folder import RunFolder, Stage
from prorank_training.stopping import stoppable

_BAD_STEPS_ALLOWED = 20


class LoopSettings(Protocol):
    """What the loop reads of a stage's table in the recipe."""

    @property
    def steps(self) -> int:
        """Steps in all."""
        ...

    @property
    def clip_norm(self) -> float:
        """What the gradient's norm is cut to."""
        ...

    @property
    def save_every_s(self) -> float:
        """Seconds between two states."""
        ...


@dataclass(frozen=True, slots=True)
class TrainingLoop:
    """A stage of a run.

    Attributes:
        stage: Its name, in metrics and states.
        plan: Its table in the recipe.
        masters: The trained weights.
        folder: Where state and metrics go; a state that is there is gone on from.
        progress: Called after each step.
        falls_from: Steps after which the learning rate begins to fall, where it stays until then. The state of that
            moment is kept apart: a run that is given more steps goes on from it, as if the rate had never fallen.
    """

    stage: Stage
    plan: LoopSettings
    masters: MasterWeights
    folder: RunFolder
    progress: Progress
    falls_from: int | None = None

    def run(
        self,
        learn: Callable[[int], Mapping[str, float]],
        learning_rate: Callable[[int], float],
        measure: Callable[[int], Mapping[str, Any]],
    ) -> None:
        """Take all steps that are left.

        Args:
            learn: Collects the gradients of a step, counted from 0, and returns what it saw of them. Where several
                processes train together: of this one's share.
            learning_rate: For a step, counted from 0.
            measure: What is to be measured after so many steps, 0 among them; mostly nothing.

        Raises:
            RescorerError: The gradient stays infinite or not a number; the last good state is kept.
            ConfigError: The state cannot be written, or is not one that this plan could have come by.
            KeyboardInterrupt: Somebody asked for an end; the last step is saved.
        """
        start, steady = self._go_on()
        first = measure(0) if start == 0 else {}
        if first:
            self.folder.log(self.stage, {"step": 0, **first})
        gradients, saved = GradientWatch(self.stage), time.monotonic()
        with stoppable() as asked_to_stop:
            for step in range(start, self.plan.steps):
                if steady and self.falls_from is not None and step >= self.falls_from:
                    self._save(self._steady, step)
                    steady = False
                began = time.monotonic()
                learned = learn(step)
                rate = learning_rate(step)
                norm = self.masters.step(rate, self.plan.clip_norm)
                taken: dict[str, Any] = {"step": step + 1, "learning_rate": rate, "gradient_norm": round(norm, 3)}
                taken |= {**learned, "seconds": round(time.monotonic() - began, 2)}
                good = gradients.is_good(step + 1, norm)
                metrics = {**taken, **(measure(step + 1) if good else {})}
                self.folder.log(self.stage, metrics)
                self.progress(step + 1, self.plan.steps, metrics)
                stopped, last = asked_to_stop(), step + 1 == self.plan.steps
                if last or stopped or (good and time.monotonic() - saved > self.plan.save_every_s):
                    self._save(self.stage, step + 1)
                    saved = time.monotonic()
                if stopped and not last:
                    raise KeyboardInterrupt

    @property
    def _steady(self) -> str:
        return f"{self.stage}-steady"

    def _save(self, name: str, step: int) -> None:
        self.folder.save_state(name, {"step": step, "falls_from": self.falls_from, **self.masters.state_dict()})

    def _go_on(self) -> tuple[int, bool]:
        """Put back the last state that this plan would have come by.

        Returns:
            The step that comes next, and whether the learning rate has not fallen so far.

        Raises:
            ConfigError: There is none, though there are others.
        """
        state = self.folder.load_state(self.stage)
        steady = state is None or self.falls_from is None or state["step"] <= state["falls_from"]
        if state is not None and not steady and state["falls_from"] != self.falls_from:
            state, steady = self._before_the_fall(int(state["step"])), True
        if state is None:
            self.folder.forget_after(self.stage, -1)
            return 0, steady
        step = int(state["step"])
        if step > self.plan.steps:
            raise ConfigError(
                f"{self.folder.path} has {step} steps of {self.stage} behind it, more than the {self.plan.steps} that "
                f"are wanted: ask for {step} or more, or choose another folder with --run"
            )
        self.masters.load_state_dict(state)
        self.folder.forget_after(self.stage, step)
        return step, steady

    def _before_the_fall(self, step: int) -> dict[str, Any]:
        state = self.folder.load_state(self._steady)
        if state is None:
            raise ConfigError(
                f"the learning rate of {self.folder.path} had begun to fall at step {step}, and the state from before, "
                f"{self._steady}.state.pt, is gone: ask for as many steps as before, or export what is there and go on "
                "from that in another folder (--set base=RUN/checkpoint)"
            )
        return state


class GradientWatch:
    """Counts the steps in a row whose gradient was not finite, and gives up after too many of them.

    Args:
        stage: The stage's table in the recipe.
        allowed: How many of them are not too many.
    """

    def __init__(self, stage: Stage, allowed: int = _BAD_STEPS_ALLOWED) -> None:
        self._stage = stage
        self._allowed = allowed
        self._bad = 0

    def is_good(self, step: int, norm: float) -> bool:
        """Tell whether a step's gradient was finite: one that was not has changed no weight.

        Raises:
            RescorerError: It was not, for many steps in a row.
        """
        self._bad = 0 if math.isfinite(norm) else self._bad + 1
        if self._bad > self._allowed:
            raise RescorerError(
                f"the gradient was not finite for {self._bad} steps up to step {step}; the last good state is kept: "
                f"begin another run (--run) with a lower {self._stage}.learning_rate"
            )
        return self._bad == 0
