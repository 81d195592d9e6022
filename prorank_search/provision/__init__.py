"""Registers the service inside an engine, so that the engine's own searches are rescored.

plan.py              what is there and what will be made, as data: each step one request and the one that undoes it
opensearch.py        reads a cluster, and plans a connector, a model and a search pipeline in it
opensearch_bodies.py what these are made of
cluster_settings.py  the settings that let a cluster ask us, and the way back
elasticsearch.py     reads a cluster and its licence, and plans an inference endpoint
"""
