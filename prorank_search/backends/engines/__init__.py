"""OpenSearch and Elasticsearch as a first stage: one body for both, a thin client for each.

connection.py           a connected engine: `Engine.request(method, path, body)`, retried, errors explained
credentials.py          who we are to it
faults.py               what an engine's error means, in words
identity.py             which engine a client talks to
opensearch.py           the client of the one
elasticsearch.py        the client of the other
detection.py            which of the two answers at an address

reading
search.py               the backend that is searched: search, count, walk
queries.py, hits.py     a request into a query body, an answer into hits
mappings.py             what a mapping says of an index: fields, nested paths, our mark
catalog.py, state.py    the indexes there are; whether one still holds what it held
walk.py                 every document of an index, as it was at one moment
guess.py                a first profile for an index of somebody else

writing
index.py                the backend that is filled: writers, versions, the way back
analysis.py             presets, mapping and settings of an index
versions.py             concrete indexes, and the aliases that show one of them
writer.py, commits.py   writing into one of them, and what a commit waits for
bulk.py, delivery.py    what is sent and what its answers mean; sent until each document is settled
passages.py, outdated.py  passages on an engine, and taking out those of before
adoption.py             writing into an index of somebody else
"""
