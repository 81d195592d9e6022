"""Training in bf16 with fp32 masters: products run on bf16 copies, AdamW on the fp32 weights behind them.

A bf16 weight has 8 bits: steps smaller than 1/256 of it would be lost. The masters keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from prorank_search.scoring.arithmetic import trained_layout
from prorank_training import workers


class MasterWeights:
    """The trained weights in fp32, their AdamW, and the copies that the forward pass multiplies with.

    Args:
        weights: The decoder's weights by name; those in `trained` become leaves that collect gradients, in place.
        trained: Names of the weights to train.
        learning_rate: Of AdamW (Loshchilov and Hutter, 2019), betas 0.9 and 0.98.
        weight_decay: For matrices; norms have none.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], trained: list[str], learning_rate: float, weight_decay: float
    ) -> None:
        self._working = {name: weights[name] for name in trained}
        for tensor in self._working.values():
            tensor.data = trained_layout(tensor.data)
        self.masters = {name: tensor.detach().float().clone() for name, tensor in self._working.items()}
        for tensor in self._working.values():
            tensor.requires_grad_()
        matrices = [master for master in self.masters.values() if master.ndim > 1]
        vectors = [master for master in self.masters.values() if master.ndim == 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}],
            lr=learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )

    def step(self, learning_rate: float, clip_norm: float) -> float:
        """Take one step along the gradients that the working copies have collected, and clear them.

        Where several processes train together, along the sum of everybody's.

        Args:
            learning_rate: For this step.
            clip_norm: The gradient's norm is cut to this.

        Returns:
            The gradient's norm before it was cut.
        """
        for name, master in self.masters.items():
            gradient = self._working[name].grad
            master.grad = None if gradient is None else gradient.float()
            self._working[name].grad = None
        workers.sum_up(master.grad for master in self.masters.values() if master.grad is not None)
        norm = torch.nn.utils.clip_grad_norm_(self.masters.values(), clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        if torch.isfinite(norm):
            self.optimizer.step()
        for name, master in self.masters.items():
            master.grad = None
            self._working[name].data.copy_(master)
        return float(norm)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resume needs."""
        return {"masters": self.masters, "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken, on whatever device that was."""
        for name, master in self.masters.items():
            master.copy_(state["masters"][name])
            self._working[name].data.copy_(master)
        self.optimizer.load_state_dict(state["optimizer"])
        # fused AdamW walks weights and moments by their place in memory: they have to be laid out alike, and a state
        # from another device is laid out as matrices are there
        for master, kept in self.optimizer.state.items():
            for moment in ("exp_avg", "exp_avg_sq"):
                kept[moment] = torch.empty_like(master).copy_(kept[moment])
