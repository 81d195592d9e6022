"""The embedded indexes as an OpenSearch: its read endpoints, its answers and its faults, without a server."""

from __future__ import annotations
