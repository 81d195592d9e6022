"""The search gateway: an engine's `_search` and `_msearch` with a second stage, and the rest of its reads untouched.

routes.py               what comes in, who answers it, and what a fault looks like
search.py               one search from its body to its answer
request.py, query_text.py, texts.py     what a search asks for: a plan, the query's text, the documents' texts
scoring.py              the plan and the hits into an order
order.py, reorder.py    an order, and the engine's answer put into it: pure
pages.py                orders that were given out, for the pages after the first
msearch.py              many searches in one request
passthrough.py          which requests pass, and with which headers
breaker.py, exposure.py, switch.py      who is not rescored, and why
json_spans.py           JSON that is changed without being written anew
"""
