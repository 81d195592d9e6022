"""Readers, one source format a file; each registers in the entry-point group `prorank_search.readers`."""
