"""Any model in the form of sentence-transformers that lies on disk: a cross-encoder or a bi-encoder.

Nothing here uses the network, and no code that lies in a model's folder is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prorank_search import models, plugins
from prorank_search.models.contents import is_cross_encoder
from prorank_search.scoring.cosine import CosineRescorer, open_vector_cache
from prorank_search.settings import Settings

if TYPE_CHECKING:
    from prorank_search.rescorers.sentence_transformers.cross_encoder import CrossEncoderRescorer


def open_rescorer(settings: Settings) -> CosineRescorer | CrossEncoderRescorer:
    """Load the model that the settings name: a folder, or what was pulled. In fp32 unless `dtype` says bfloat16.

    Raises:
        MissingExtraError: The extra `sentence-transformers` is not installed.
        MissingModelError: The model was never pulled.
        CheckpointError: It cannot be loaded, or answers with more than one number.
        ConfigError: It is a model for another rescorer, reads no texts as long as the settings say, or the device is
            not on this machine.
    """
    plugins.require("sentence_transformers", needed_by="sentence-transformers")
    folder = models.model_folder(settings.model, settings, rescorer="sentence-transformers")
    from prorank_search.rescorers.sentence_transformers import loading
    from prorank_search.rescorers.sentence_transformers.bi_encoder import BiEncoder
    from prorank_search.rescorers.sentence_transformers.cross_encoder import CrossEncoderRescorer

    device = loading.device_of(settings)
    speed_file = settings.home / "cache" / "speed.json" if device == "cpu" else None
    if is_cross_encoder(folder):
        cross_encoder = loading.load_cross_encoder(folder, device, settings)
        revision = loading.revision_of(cross_encoder, folder, settings)
        return CrossEncoderRescorer(cross_encoder, folder.name, revision, speed_file)
    bi_encoder = loading.load_bi_encoder(folder, device, settings)
    encoder = BiEncoder(bi_encoder, loading.revision_of(bi_encoder, folder, settings))
    cache = open_vector_cache(settings.home / "cache" / "vectors.sqlite", settings.vector_cache_mb)
    return CosineRescorer(encoder, folder.name, cache, speed_file)
