"""The search gateway: an engine's `_search` and `_msearch` with a second stage, and the rest of its reads untouched.

routes.py               what comes in, and who answers it
exchange.py             what is sent to the engine, and which answer comes back
search.py               one search from its body to its answer
request.py, query_text.py, texts.py     what a search asks for: a plan, the query's text, the documents' texts
rules.py                which searches cannot be rescored, and which page one wants
scoring.py              the plan and the hits into an order
order.py, reorder.py    an order, and the engine's answer put into it: pure
pages.py                orders that were given out, for the pages after the first
msearch.py              many searches in one request
faults.py               what a fault looks like
passthrough.py          which requests pass, and with which headers
breaker.py, exposure.py, switch.py      who is not rescored, and why
admin.py, counts.py, described.py       what an admin, Prometheus and the OpenAPI description are told of the gateway
json_spans.py           JSON that is changed without being written anew
"""
