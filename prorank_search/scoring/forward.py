"""The forward pass with a shared prefix: a query is read once, its documents attend to its keys and values.

Inference and training run the same code. Rows are padded on the right: under a causal mask a real token never sees
what is padded after it, so a score does not depend on the other rows of its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from prorank_search.scoring.decoder import Attention, Decoder, rotary_angles

_WEIGHTS_A_PIECE = 1 << 20
"""Attention weights that are computed together on CPUs: two megabytes in bf16."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What documents need of a query: its keys and values, for each layer (1, kv_heads, tokens, head_dim)."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def tokens(self) -> int:
        """How many tokens the prefix has."""
        return self.keys[0].shape[2]


def read_prefixes(decoder: Decoder, rows: Sequence[Sequence[int]]) -> list[Prefix]:
    """Run the decoder over the query's part of some prompts, all in one pass."""
    width = max(len(row) for row in rows)
    tokens = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=_device(decoder))  # (rows, width)
    hidden = decoder.embed(tokens)
    positions = torch.arange(width, device=tokens.device)[None]
    angles = _angles(decoder, positions, hidden.dtype)
    masks = _masks(decoder, positions, positions)
    keys, values = [], []
    last = len(decoder.attentions) - 1
    for layer, attention in enumerate(decoder.attentions):
        q, k, v = decoder.project(layer, hidden, angles[attention.theta])
        keys.append(k)
        values.append(v)
        if layer < last:
            hidden = decoder.finish(layer, hidden, _attend(q, k, v, masks[attention], attention))
    return [
        Prefix(*(tuple(layer[at : at + 1, :, : len(row)] for layer in layers) for layers in (keys, values)))
        for at, row in enumerate(rows)
    ]


def last_hidden(decoder: Decoder, rows: Sequence[Sequence[int]], prefixes: Sequence[Prefix]) -> Tensor:
    """Return the normed hidden state at each row's last token.

    Args:
        decoder: The model.
        rows: Token ids that follow the prefix: the document's, then the suffix.
        prefixes: Each row's prefix; the same object where rows share one.

    Returns:
        (rows, hidden).
    """
    device = _device(decoder)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    width = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=device)  # (rows, width)
    shared = _Shared(prefixes)
    starts = torch.tensor([prefix.tokens for prefix in prefixes], device=device)
    positions = starts[:, None] + torch.arange(width, device=device)  # (rows, width)
    if shared.alone:
        positions = positions[:1]
    key_positions = torch.cat([shared.positions(device)[: positions.shape[0]], positions], 1)
    hidden = decoder.embed(ids)
    angles = _angles(decoder, positions, hidden.dtype)
    masks = _masks(decoder, positions, key_positions)
    last = len(decoder.attentions) - 1
    for layer, attention in enumerate(decoder.attentions):
        q, k, v = decoder.project(layer, hidden, angles[attention.theta])
        k = torch.cat([shared.keys(layer), k], 2)
        v = torch.cat([shared.values(layer), v], 2)
        attended = _attend(q, k, v, masks[attention], attention)
        if layer == last:
            at = (torch.arange(len(rows), device=device), lengths - 1)
            hidden, attended = hidden[at], attended[at]  # (rows, hidden)
        hidden = decoder.finish(layer, hidden, attended)
    return decoder.norm(hidden)


class _Shared:
    """The prefixes of a batch's rows, padded to one length; one prefix for all rows is expanded, not copied."""

    def __init__(self, prefixes: Sequence[Prefix]) -> None:
        distinct = list({id(prefix): prefix for prefix in prefixes}.values())
        place = {id(prefix): number for number, prefix in enumerate(distinct)}
        self.alone = len(distinct) == 1
        self._distinct = distinct
        self._row_of = [place[id(prefix)] for prefix in prefixes]
        self._width = max(prefix.tokens for prefix in distinct)

    def positions(self, device: torch.device) -> Tensor:
        """Position of each prefix token (rows, width); padding stands at -1, which no mask lets through."""
        lengths = torch.tensor([self._distinct[number].tokens for number in self._row_of], device=device)
        at = torch.arange(self._width, device=device).expand(len(self._row_of), -1)
        return torch.where(at < lengths[:, None], at, -1)

    def keys(self, layer: int) -> Tensor:
        """Keys of the prefixes (rows, kv_heads, width, head_dim) in one layer."""
        return self._stack([prefix.keys[layer] for prefix in self._distinct])

    def values(self, layer: int) -> Tensor:
        """Values of the prefixes (rows, kv_heads, width, head_dim) in one layer."""
        return self._stack([prefix.values[layer] for prefix in self._distinct])

    def _stack(self, tensors: list[Tensor]) -> Tensor:
        if self.alone:
            return tensors[0].expand(len(self._row_of), -1, -1, -1)
        padded = torch.cat([F.pad(tensor, (0, 0, 0, self._width - tensor.shape[2])) for tensor in tensors])
        return padded[torch.tensor(self._row_of, device=padded.device)]


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, attention: Attention) -> Tensor:
    by_products = q.device.type == "cpu" and (q.requires_grad or q.dtype == torch.bfloat16)
    attend = _attend_by_products if by_products else _attend_fused
    return attend(q, k, v, mask, attention.scale).transpose(1, 2).flatten(2)  # (rows, tokens, heads * head_dim)


def _attend_fused(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: float) -> Tensor:
    grouped = q.shape[1] != k.shape[1]
    if grouped and q.device.type == "cuda":  # of its kernels only the slow one takes groups and a mask together
        k, v = (heads.repeat_interleave(q.shape[1] // k.shape[1], 1) for heads in (k, v))
        grouped = False
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale, enable_gqa=grouped)


def _attend_by_products(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Attend by two batched products, some rows at a time.

    On CPUs the fused kernel's backward pass is several times slower, and in bf16 so is its forward pass where there is
    no AMX. A few rows at a time, because memory that the allocator does not keep costs more than the products.
    """
    hidden = torch.zeros(mask.shape, dtype=q.dtype, device=q.device).masked_fill_(~mask, -torch.inf)
    hidden = hidden.expand(q.shape[0], -1, -1, -1)
    most = max(1, _WEIGHTS_A_PIECE // (q.shape[1] * q.shape[2] * k.shape[2]))
    pieces = zip(q.split(most), k.split(most), v.split(most), hidden.split(most), strict=True)
    return torch.cat([_products(*piece, scale) for piece in pieces])


def _products(q: Tensor, k: Tensor, v: Tensor, hidden: Tensor, scale: float) -> Tensor:
    rows, heads, tokens, head_dim = q.shape
    kv_heads = k.shape[1]
    queries = (q * scale).reshape(rows, kv_heads, -1, head_dim)  # the heads of a group stand one below the other
    scores = (queries @ k.transpose(-1, -2)).view(rows, kv_heads, heads // kv_heads, tokens, -1)
    weights = (scores + hidden[:, None]).softmax(-1).view(rows, kv_heads, -1, k.shape[2])
    return (weights @ v).view(rows, heads, tokens, head_dim)


def _masks(decoder: Decoder, queries: Tensor, keys: Tensor) -> dict[Attention, Tensor]:
    """Return for each kind of attention what may be looked at (rows or 1, 1, query tokens, key tokens)."""
    distance = queries[:, :, None] - keys[:, None, :]
    causal = (distance >= 0) & (keys >= 0)[:, None, :]
    return {
        attention: (causal if attention.window is None else causal & (distance < attention.window))[:, None]
        for attention in set(decoder.attentions)
    }


def _angles(decoder: Decoder, positions: Tensor, dtype: torch.dtype) -> dict[float, Tensor]:
    thetas = {attention.theta for attention in decoder.attentions}
    return {theta: rotary_angles(positions, decoder.head_dim, theta).to(dtype) for theta in thetas}


def _device(decoder: Decoder) -> torch.device:
    return next(iter(decoder.parameters().values())).device
