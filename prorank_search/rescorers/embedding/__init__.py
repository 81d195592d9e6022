"""An ONNX bi-encoder as the second stage: the cosine of two vectors, each made of one text alone.

A document's vector does not depend on the query, so it is computed once and kept on disk: what bi-encoders are for.
"""

from __future__ import annotations

from prorank_search import models, plugins
from prorank_search.errors import ConfigError
from prorank_search.model_files import weights_sha256
from prorank_search.models.contents import read_embedding_facts
from prorank_search.scoring.cosine import CosineRescorer, open_vector_cache
from prorank_search.settings import Settings

DEFAULT_MAX_LENGTH_TOKENS = 256
"""Where a text is cut: twice as many tokens cost twice the time."""


def open_rescorer(settings: Settings) -> CosineRescorer:
    """Load the bi-encoder that the settings name.

    Raises:
        MissingExtraError: The extra `embedding` is not installed.
        MissingModelError: The model was never pulled.
        CheckpointError: Its files cannot be read.
        ConfigError: It is no ONNX bi-encoder, or cannot read texts as long as the settings say.
    """
    for module in ("onnxruntime", "tokenizers"):
        plugins.require(module, needed_by="embedding")
    folder = models.model_folder(settings.model, settings, rescorer="embedding")
    facts = read_embedding_facts(folder)
    wanted = settings.max_length_tokens or min(DEFAULT_MAX_LENGTH_TOKENS, facts.max_length_tokens)
    if wanted > facts.max_length_tokens:
        raise ConfigError(
            f"max_length_tokens = {wanted}: {settings.model!r} reads up to {facts.max_length_tokens} tokens; "
            f"set {facts.max_length_tokens} or less"
        )
    from prorank_search.rescorers.embedding.onnx_encoder import OnnxEncoder

    encoder = OnnxEncoder(folder, facts, wanted, weights_sha256(folder))
    cache = open_vector_cache(settings.home / "cache" / "vectors.sqlite", settings.vector_cache_mb)
    return CosineRescorer(encoder, folder.name, cache, settings.home / "cache" / "speed.json")
