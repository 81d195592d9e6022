"""OpenSearch and Elasticsearch as a first stage: one body for both, a thin client for each.

connection.py           a connected engine: `Engine.request(method, path, body)`, retried, errors explained
faults.py               what an engine's error means, in words
opensearch.py           the client of the one
elasticsearch.py        the client of the other
detection.py            which of the two answers at an address
analysis.py             presets, mapping and settings of an index
queries.py, hits.py     a request into a query body, an answer into hits
mappings.py             what a mapping says of an index: fields, nested paths, our mark
search.py               the backend: search, evaluate, count, walk
"""
