"""How fast one query's documents are scored: this project's engine against a plain `transformers` loop.

python benchmarks/scoring.py [--model smollm2-135m] [--dtype auto] [--rounds 5]

The loop scores full prompts in padded batches of 1, 8 and 32, once as people write it (the output head on every
token) and once with `logits_to_keep=1`, the honest floor. Both see the same token ids, on the same threads, in the
same dtype, turn by turn; the fastest round of each counts. Scores are compared too. The model must have been pulled.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from scipy.stats import kendalltau
from transformers import AutoModelForCausalLM, PreTrainedModel

from prorank_search import models
from prorank_search.scoring.batches import batches
from prorank_search.scoring.loading import Loaded, load_engine
from prorank_search.settings import Settings

QUERY_TOKENS = 20
LOOP_BATCHES = (1, 8, 32)
LARGEST_DIFFERENCE = 1e-3
"""Between our scores and those of transformers, both in fp32."""

WORDS = """
river engine harvest student measure museum light because under early twelve window culture system paper market the of
and in to is a that which was by for with
"""

Score = Callable[[], list[float]]


@dataclass(frozen=True)
class Prompts:
    """Token ids: a query's prefix, and what follows it for each document."""

    prefix: list[int]
    rows: list[list[int]]


def make_prompts(loaded: Loaded, lengths: Sequence[int]) -> Prompts:
    """Return the prompts of made-up documents of so many tokens each."""
    numbers = random.Random(0)
    encoder = loaded.encoder
    prefix = encoder.prefix(" ".join(numbers.choices(WORDS.split(), k=QUERY_TOKENS))).ids
    rows = []
    for length in lengths:
        text = " ".join(numbers.choices(WORDS.split(), k=2 * length))
        room = encoder.max_length_tokens - encoder.tail_tokens - length
        rows.append(list(encoder.documents([text], room)[0].ids))
    return Prompts(list(prefix), rows)


def ours(loaded: Loaded, prompts: Prompts) -> list[float]:
    """Score with the engine: the query once, its documents by length."""
    prefix = loaded.engine.prefix(prompts.prefix)
    scores = [0.0] * len(prompts.rows)
    for batch in batches([len(row) for row in prompts.rows], loaded.engine.tokens_a_batch):
        for at, score in zip(batch, loaded.engine.score([(prefix, prompts.rows[at]) for at in batch]), strict=True):
            scores[at] = score
    return scores


@torch.inference_mode()
def loop(
    model: PreTrainedModel, loaded: Loaded, prompts: Prompts, rows_a_batch: int, *, full_head: bool
) -> list[float]:
    """Score as people do: whole prompts, padded on the left, in the order they come."""
    relevant, irrelevant = loaded.encoder.relevant_token, loaded.encoder.irrelevant_token
    keep = {} if full_head else {"logits_to_keep": 1}
    scores: list[float] = []
    for at in range(0, len(prompts.rows), rows_a_batch):
        whole = [prompts.prefix + row for row in prompts.rows[at : at + rows_a_batch]]
        width = max(map(len, whole))
        ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in whole])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in whole])
        positions = (mask.cumsum(-1) - 1).clamp_min(0)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False, **keep).logits
        last = logits[:, -1].float()
        scores += (last[:, relevant] - last[:, irrelevant]).tolist()
    return scores


def fastest(ways: dict[str, Score], rounds: int) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Run all ways turn by turn; return the fastest time and the scores of each."""
    times = dict.fromkeys(ways, float("inf"))
    scores: dict[str, list[float]] = {}
    for _ in range(rounds + 1):  # the first round warms up, and counts only if nothing is faster
        for name, way in ways.items():
            began = time.perf_counter()
            scores[name] = way()
            times[name] = min(times[name], time.perf_counter() - began)
    return times, scores


def compare(model: PreTrainedModel, loaded: Loaded, prompts: Prompts, rounds: int) -> list[float]:
    """Print all times of one set of documents with their ratios, and return our scores."""
    ways: dict[str, Score] = {"ours": partial(ours, loaded, prompts)}
    for full_head in (True, False):
        for rows in LOOP_BATCHES:
            name = f"loop, batch {rows:2}, {'full head' if full_head else 'logits_to_keep=1'}"
            ways[name] = partial(loop, model, loaded, prompts, rows, full_head=full_head)
    times, scores = fastest(ways, rounds)
    for name, seconds in times.items():
        off = farthest(scores["ours"], scores[name])
        ratio = seconds / times["ours"]
        print(f"  {name:34} {seconds:8.3f} s {len(prompts.rows) / seconds:8.1f} docs/s {ratio:6.2f} x  off {off:.1e}")
    best = min(seconds for name, seconds in times.items() if name != "ours")
    people = times[f"loop, batch {LOOP_BATCHES[-1]:2}, full head"]
    print(
        f"  against the best loop {best / times['ours']:.2f} x, against its batch of 32, full head, "
        f"{people / times['ours']:.2f} x"
    )
    return scores["ours"]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="smollm2-135m")
    options.add_argument("--dtype", default="auto", choices=["auto", "float32", "bfloat16"])
    options.add_argument("--documents", type=int, default=100)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    folder = models.model_folder(chosen.model, Settings())
    load = partial(load_engine, chosen.model, folder, folder, device="cpu", max_length_tokens=512)
    loaded = load(dtype=chosen.dtype)
    numbers = random.Random(1)
    sets = {
        "documents of 120 tokens": [120] * chosen.documents,
        "documents of 20 to 400 tokens": [numbers.randint(20, 400) for _ in range(chosen.documents)],
    }
    dtype = loaded.checkpoint.weights["model.norm.weight"].dtype
    print(f"{chosen.model}, {dtype}, {chosen.threads} threads, torch {torch.__version__}")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    exact, exact_model = load(dtype="float32"), AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    for name, lengths in sets.items():
        prompts = make_prompts(loaded, lengths)
        print(f"{len(lengths)} {name}, {len(prompts.prefix)} tokens before them")
        scores = compare(model, loaded, prompts, chosen.rounds)
        report_differences(exact, exact_model, prompts, scores)


def report_differences(exact: Loaded, model: PreTrainedModel, prompts: Prompts, scores: Sequence[float]) -> None:
    """Print how far our fp32 scores are from those of transformers, and the timed ones from our fp32 scores."""
    in_fp32, by_loop = ours(exact, prompts), loop(model, exact, prompts, 8, full_head=False)
    off = farthest(in_fp32, by_loop)
    verdict = "equal" if off < LARGEST_DIFFERENCE else "NOT EQUAL"
    print(f"  fp32 scores, ours and transformers': {off:.1e} apart at most: {verdict}")
    tau = kendalltau(scores, in_fp32).statistic
    print(f"  timed scores against fp32: Kendall's tau {tau:.4f}, {farthest(scores, in_fp32):.3f} nats apart at most")


def farthest(some: Sequence[float], others: Sequence[float]) -> float:
    """Return the largest difference between two lists of scores."""
    return max(abs(one - other) for one, other in zip(some, others, strict=True))


if __name__ == "__main__":
    main()
