"""The second stage over HTTP: `prorank serve`, in the shapes that rerank clients speak. docs/serve.md tells of it."""
