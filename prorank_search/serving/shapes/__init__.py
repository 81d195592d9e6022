"""The shapes that rerank clients speak, one file each: how a body is read, an answer written, a fault told."""
