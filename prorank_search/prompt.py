"""The ProRank prompt: templates, token assembly, truncation. Training and inference use this one file.

A template is a named, versioned list of pieces. A piece without a slot is fixed, and its special tokens are real. A
piece with a slot is somebody's text: it is encoded by a tokenizer of its own that knows no special tokens, so a
document that contains `<|im_end|>` can never close the turn. Pieces are encoded apart and joined as ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from prorank_search.encodable import encodable
from prorank_search.errors import CheckpointError, ConfigError

RELEVANT, IRRELEVANT = "1", "0"
"""The two answers."""

_TASK = "Judge whether the document answers the query. Reply 1 if it is relevant, 0 if not."

_CHARACTERS_A_TOKEN = 8
"""More than a token has on average in nearly all texts: so much of a text is encoded first, more where it must be."""

_UNSETTLED_TOKENS = 64
"""Tokens at the end of a cut text that may not be those of the whole text."""


@dataclass(frozen=True, slots=True)
class Template:
    """The pieces of a prompt, in order. All before the document's own text is shared by a query's documents.

    Attributes:
        name: Name and version; a checkpoint names the one it was trained with.
        head: Fixed pieces before the query.
        query: Pieces with the slot `{query}`.
        instructed_query: The same with the slots `{instruction}` and `{query}`.
        document: Fixed pieces, then the piece with the slot `{document}`.
        tail: Fixed pieces after the document; the last token's logits are the answer.
    """

    name: str
    head: tuple[str, ...]
    query: tuple[str, ...]
    instructed_query: tuple[str, ...]
    document: tuple[str, ...]
    tail: tuple[str, ...]


TEMPLATES = {
    template.name: template
    for template in (
        Template(
            name="prorank-prefix-v1",
            head=(f"<|im_start|>system\n{_TASK}<|im_end|>\n<|im_start|>user\n",),
            query=("Query:", " {query}"),
            instructed_query=("Instruction:", " {instruction}", "\nQuery:", " {query}"),
            document=("\nDocument:", " {document}"),
            tail=("<|im_end|>\n<|im_start|>assistant\n",),
        ),
        Template(
            name="prorank-prefix-gemma-v1",
            head=(f"<bos><start_of_turn>user\n{_TASK}\n",),
            query=("Query:", " {query}"),
            instructed_query=("Instruction:", " {instruction}", "\nQuery:", " {query}"),
            document=("\nDocument:", " {document}"),
            tail=("<end_of_turn>\n<start_of_turn>model\n",),
        ),
        Template(
            name="mxbai-rerank-v2",
            head=(
                (
                    "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>"
                    "\n<|im_start|>user\n"
                ),
            ),
            query=("query: {query}",),
            instructed_query=("instruction: {instruction}\nquery: {query}",),
            document=("\n", "document: {document}"),
            tail=(
                "\n",
                (
                    "You are a search relevance expert who evaluates how well documents match search queries. For each "
                    "query-document pair, carefully analyze the semantic relationship between them, then provide your "
                    "binary relevance judgment (0 for not relevant, 1 for relevant).\nRelevance:"
                ),
                "<|im_end|>\n<|im_start|>assistant\n",
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one part of a prompt, and whether text was cut to make it fit."""

    ids: tuple[int, ...]
    truncated: bool


class PromptEncoder:
    """Turns queries and documents into the ids of one template. Safe from many threads.

    Args:
        tokenizer_file: The checkpoint's `tokenizer.json`.
        template: Name of the template.
        max_length_tokens: Tokens of the whole prompt.
        query_max_tokens: Tokens of the query's text and the instruction's; None: half of `max_length_tokens`.
        document_max_tokens: Tokens of a document's text; None: what query and template leave of `max_length_tokens`.

    Raises:
        ConfigError: No such template, or no room is left for a document.
        CheckpointError: The tokenizer cannot be read, an answer is not a single token, or a text could close a turn.
    """

    def __init__(
        self,
        tokenizer_file: Path,
        template: str,
        max_length_tokens: int = 512,
        query_max_tokens: int | None = None,
        document_max_tokens: int | None = None,
    ) -> None:
        if template not in TEMPLATES:
            raise ConfigError(f"no prompt template {template!r}; known: {', '.join(TEMPLATES)}")
        self.template = TEMPLATES[template]
        self.max_length_tokens = max_length_tokens
        self.query_max_tokens = query_max_tokens or max_length_tokens // 2
        self._document_max_tokens = document_max_tokens or max_length_tokens
        self._fixed = _read_tokenizer(tokenizer_file)
        self._text = _read_tokenizer(tokenizer_file)
        self._text.encode_special_tokens = True
        self._tail = self._fixed_ids(self.template.tail)
        self._head = self._fixed_ids(self.template.head)
        *before, self._document_piece = self.template.document
        self._before_document = self._fixed_ids(before)
        self.relevant_token, self.irrelevant_token = self._answer(RELEVANT), self._answer(IRRELEVANT)
        self.end_token = self._fixed_ids(self.template.tail[-1:])[0]  # ends the turn: the document's, and an answer's
        self._check_marks(tokenizer_file)
        self._check_room()

    @property
    def tail_tokens(self) -> int:
        """How many tokens follow each document."""
        return len(self._tail)

    def prefix(self, query: str, instruction: str | None = None) -> Encoded:
        """Encode all that stands before a document's own text; it is the same for all documents of a query.

        Where query and instruction together are too long, it is the instruction that is cut first; with
        `mxbai-rerank-v2`, as in the code of its makers, it is the end of the query.
        """
        pieces = self.template.instructed_query if instruction else self.template.query
        budget = self.query_max_tokens
        truncated = False
        parts: list[tuple[int, ...]] = []
        for piece in reversed(pieces):
            if not _has_slot(piece):
                parts.append(self._fixed_ids([piece]))
                continue
            encoded = self._texts([piece.format(query=query, instruction=instruction)], budget)[0]
            budget -= len(encoded.ids)
            truncated = truncated or encoded.truncated
            parts.append(encoded.ids)
        ids = (token for part in reversed(parts) for token in part)
        return Encoded((*self._head, *ids, *self._before_document), truncated)

    def documents(self, texts: Sequence[str], prefix_tokens: int) -> list[Encoded]:
        """Encode documents, each with the tail that follows it, cut so that the whole prompt fits.

        Args:
            texts: The documents' texts.
            prefix_tokens: Length of the query's prefix.

        Returns:
            For each text the ids that follow the prefix. The tail is never cut.
        """
        budget = min(self.max_length_tokens - prefix_tokens - len(self._tail), self._document_max_tokens)
        encoded = self._texts([self._document_piece.format(document=text) for text in texts], budget)
        return [Encoded((*document.ids, *self._tail), document.truncated) for document in encoded]

    def _texts(self, texts: Sequence[str], budget: int) -> list[Encoded]:
        """Encode texts without special tokens and cut them to a budget, reading little more of them than that."""
        enough = budget + _UNSETTLED_TOKENS
        window = enough * _CHARACTERS_A_TOKEN
        heads = [encodable(text[:window]) for text in texts]
        encodings = self._text.encode_batch_fast(heads, add_special_tokens=False)
        ids = [
            self._widened(text, encoding.ids, window, enough) for text, encoding in zip(texts, encodings, strict=True)
        ]
        return [Encoded(tuple(token_ids[:budget]), len(token_ids) > budget) for token_ids in ids]

    def _widened(self, text: str, ids: list[int], window: int, enough: int) -> list[int]:
        """Return a text's ids, of which `window` characters are `ids`: at least `enough` of them, or all there are."""
        while window < len(text) and len(ids) < enough:
            window *= 2
            ids = self._text.encode(encodable(text[:window]), add_special_tokens=False).ids
        return ids

    def _fixed_ids(self, pieces: Sequence[str]) -> tuple[int, ...]:
        return tuple(token for piece in pieces for token in self._fixed.encode(piece, add_special_tokens=False).ids)

    def _answer(self, answer: str) -> int:
        ids = self._text.encode(answer, add_special_tokens=False).ids
        if len(ids) != 1:
            raise CheckpointError(f"the answer {answer!r} is {len(ids)} tokens in this vocabulary; it has to be one")
        return ids[0]

    def _check_marks(self, tokenizer_file: Path) -> None:
        """Refuse a tokenizer that would read a mark of the template, such as the end of a turn, inside a text."""
        fixed = "".join([*self.template.head, *self.template.tail])
        for token, added in self._fixed.get_added_tokens_decoder().items():
            is_mark = added.content.strip() and added.content in fixed  # Gemma adds runs of newlines: they are text
            if is_mark and token in self._text.encode(added.content, add_special_tokens=False).ids:
                raise CheckpointError(
                    f"{added.content!r} is not a special token in {tokenizer_file}: a document that holds it would "
                    "change the prompt; mark it as special there"
                )

    def _check_room(self) -> None:
        queries = (self.template.query, self.template.instructed_query)
        own = max(len(self._fixed_ids([piece for piece in query if not _has_slot(piece)])) for query in queries)
        own += len(self._head) + len(self._before_document) + len(self._tail)
        if self.max_length_tokens - self.query_max_tokens - own < 1:
            raise ConfigError(
                f"max_length_tokens={self.max_length_tokens} leaves no room for a document beside a query of up to "
                f"{self.query_max_tokens} tokens and {own} of the template's own: raise it or lower query_max_tokens"
            )


def _has_slot(piece: str) -> bool:
    return "{" in piece


def _read_tokenizer(file: Path) -> Tokenizer:
    if not file.is_file():
        raise CheckpointError(f"{file} is missing: a checkpoint needs its tokenizer.json")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # tokenizers raises nothing narrower
        raise CheckpointError(f"{file} cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
