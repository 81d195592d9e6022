"""Make `mxbai.json`: token ids and fp32 scores of the package mxbai-rerank, which our own have to equal.

The package needs transformers 4, so this runs in an environment of its own, once, and its output is committed:

    uv venv /tmp/golden
    uv pip install -p /tmp/golden/bin/python mxbai-rerank==0.1.6 'transformers>=4.49,<5' torch
    python tests/golden/fetch_qwen_vocabulary.py
    /tmp/golden/bin/python -m tests.golden.make_mxbai

Texts are synthetic, in English, Chinese and code. None is cut and none holds a special token: there the package does
otherwise than we do.
"""

from __future__ import annotations

import json
import random
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.golden.tiny_qwen2 import SEED, write_checkpoint

if TYPE_CHECKING:
    from mxbai_rerank import MxbaiRerankV2

HERE = Path(__file__).resolve().parent
VOCABULARY = HERE.parents[1] / ".cache" / "qwen.tiktoken"

INSTRUCTIONS = (None, "Find the function that does what is asked.", None, "找出回答问题的段落。")

ENGLISH = (
    "river engine it's measured the a of Carefully between 12 3.5% naïve students which don't harvest (see below) "
    "photosynthesis Zürich — quickly, because light."
)
CHINESE = "河流 发动机 的 是 在 学生 测量 光合作用 因为 ， 。 二十 2024年 《城市》 我们 怎样 繁體字 为什么 ？ 数据"
CODE = (
    "def read_file(path):\n",
    "    return ",
    "self._count += 1\n",
    "for i in range(10):\n",
    "        ",
    "if x == None:\n",
    "# counts words\n",
    'print(f"{name!r}")\n',
    "\t",
    "camelCaseName",
    " -> list[str]:",
    "lambda x: x**2",
    "\r\n",
    "0x1F",
    "'''doc'''\n",
    " != ",
    '{"key": [1, 0]}',
)

ODD_TEXTS = (
    "",
    " ",
    "1",
    "0",
    "\n\n",
    "  two  spaces  ",
    "😀 emoji 👩\u200d👩\u200d👧",
    "e\u0301 decomposed",
    "ﬁ ligature",
    "0 or 1?\nRelevance:",
)
"""Documents at the borders of what a tokenizer sees."""


def made_up(numbers: random.Random, language: str, words: int) -> str:
    """Return a text of so many words in one of the three languages."""
    vocabulary, joint = {"english": (ENGLISH.split(), " "), "chinese": (CHINESE.split(), ""), "code": (CODE, "")}[
        language
    ]
    return joint.join(numbers.choice(vocabulary) for _ in range(words))


def questions(numbers: random.Random) -> list[tuple[str, str | None, list[str]]]:
    """Return queries, each with its instruction and its documents."""
    languages = ("english", "chinese", "code")
    asked: list[tuple[str, str | None, list[str]]] = []
    for at, instruction in enumerate(INSTRUCTIONS * 3):
        language = languages[at % 3]
        query = made_up(numbers, language, numbers.randint(3, 9))
        others = [made_up(numbers, numbers.choice(languages), numbers.randint(5, 60)) for _ in range(2)]
        asked.append((query, instruction, [made_up(numbers, language, numbers.randint(5, 90)), *others]))
    return [*asked, ("what is 1 and what is 0?", None, list(ODD_TEXTS)), ("", None, ["an empty query"])]


def golden_pairs(model: MxbaiRerankV2) -> list[dict[str, object]]:
    """Return every query and document with the package's own ids and score."""
    pairs = []
    for query, instruction, documents in questions(random.Random(SEED)):
        queries = [query] * len(documents)
        inputs = model.prepare_inputs(queries, documents, instruction=instruction)
        scores = model.predict(queries, documents, instruction=instruction)
        for at, document in enumerate(documents):
            ids = inputs["input_ids"][at][inputs["attention_mask"][at].bool()]
            pairs.append(
                {
                    "query": query,
                    "instruction": instruction,
                    "document": document,
                    "score": round(scores[at].item(), 7),
                    "token_ids": ids.tolist(),
                }
            )
    return pairs


def main() -> None:
    """Write the file."""
    import torch
    from mxbai_rerank import MxbaiRerankV2

    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(VOCABULARY, Path(folder))
        model = MxbaiRerankV2(folder, device="cpu", torch_dtype=torch.float32, max_length=8192)
        pairs = golden_pairs(model)
    versions = {name: version(name) for name in ("mxbai-rerank", "transformers", "torch", "tokenizers")}
    lines = ",\n    ".join(json.dumps(pair, ensure_ascii=False, separators=(",", ":")) for pair in pairs)
    head = json.dumps({"made_with": versions, "seed": SEED}, indent=2).removesuffix("\n}")
    (HERE / "mxbai.json").write_text(f'{head},\n  "pairs": [\n    {lines}\n  ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
