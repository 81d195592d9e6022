"""First stages: one module or package an engine; `prorank_search.plugins.load("backends", name)` opens them."""
