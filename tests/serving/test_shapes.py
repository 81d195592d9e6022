from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import cohere
import httpx
import pytest
from cohere.core.request_options import RequestOptions

from prorank_search.rescorers.overlap import OverlapRescorer
from tests.serving.live import Served

QUERY = "how fast is a fox"
DOCUMENTS = ["Hens lay eggs.", "A fox is fast.", "A fox."]
BEST_FIRST = [1, 2, 0]


def post(served: Served, path: str, body: object, status: int = 200) -> Any:  # noqa: ANN401 (JSON)
    response = served.http.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json()


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
def test_documents_come_best_first_with_their_place_in_the_request(overlap: Served, path: str) -> None:
    results = post(overlap, path, {"query": QUERY, "documents": DOCUMENTS})["results"]
    assert [result["index"] for result in results] == BEST_FIRST
    scores = [result["relevance_score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert all("document" not in result for result in results)


def test_v1_has_what_cohere_jina_and_vllm_clients_look_for(overlap: Served) -> None:
    body = post(overlap, "/v1/rerank", {"model": "overlap", "query": QUERY, "documents": DOCUMENTS})
    assert body["meta"]["api_version"] == {"version": "1"}
    assert body["model"] == "overlap"
    assert body["usage"]["total_tokens"] > 0
    assert body["id"]


def test_top_n_cuts_after_scoring_and_zero_is_all(overlap: Served) -> None:
    asked = {"query": QUERY, "documents": DOCUMENTS}
    assert [row["index"] for row in post(overlap, "/v2/rerank", asked | {"top_n": 1})["results"]] == BEST_FIRST[:1]
    assert len(post(overlap, "/v1/rerank", asked | {"top_n": 0})["results"]) == len(DOCUMENTS)
    assert len(post(overlap, "/v2/rerank", asked | {"top_n": 99})["results"]) == len(DOCUMENTS)


def test_documents_are_sent_back_where_they_are_asked_for(overlap: Served) -> None:
    body = post(overlap, "/v1/rerank", {"query": QUERY, "documents": DOCUMENTS, "return_documents": True})
    assert [row["document"]["text"] for row in body["results"]] == [DOCUMENTS[at] for at in BEST_FIRST]


def test_documents_may_be_objects_and_rank_fields_name_what_is_read(overlap: Served) -> None:
    documents: list[dict[str, object]] = [{"title": "Hens", "body": "eggs"}, {"title": "A fox", "body": "is fast"}]
    asked = {"query": QUERY, "documents": documents, "rank_fields": ["title", "body"], "return_documents": True}
    best = post(overlap, "/v1/rerank", asked)["results"][0]
    assert (best["index"], best["document"]["text"]) == (1, "A fox\nis fast")


def test_an_object_without_text_is_refused_and_its_values_are_not_told(overlap: Served) -> None:
    fault = post(overlap, "/v2/rerank", {"query": QUERY, "documents": [{"secret": "hush"}]}, 400)
    assert "documents.0" in fault["message"]
    assert "hush" not in fault["message"]


def test_tei_is_a_list_best_first(overlap: Served) -> None:
    rows = post(overlap, "/rerank", {"query": QUERY, "texts": DOCUMENTS, "return_text": True})
    assert [(row["index"], row["text"]) for row in rows] == [(at, DOCUMENTS[at]) for at in BEST_FIRST]
    assert set(rows[0]) == {"index", "score", "text"}


def test_raw_scores_are_the_rescorers_own(overlap: Served) -> None:
    rows = post(overlap, "/rerank", {"query": QUERY, "texts": DOCUMENTS, "raw_scores": True})
    assert [row["score"] for row in rows] == [0.8, 0.4, 0.0]
    body = post(overlap, "/v1/rerank", {"query": QUERY, "documents": DOCUMENTS, "use_activation": False})
    assert [row["relevance_score"] for row in body["results"]] == [0.8, 0.4, 0.0]


@pytest.mark.parametrize("path", ["/score", "/v1/score"])
def test_pairs_are_scored_in_the_order_of_the_request(overlap: Served, path: str) -> None:
    one = post(overlap, path, {"text_1": QUERY, "text_2": DOCUMENTS, "use_activation": False})
    assert [(row["index"], row["score"]) for row in one["data"]] == [(0, 0.0), (1, 0.8), (2, 0.4)]
    pairs = post(overlap, path, {"text_1": ["hens", "fox"], "text_2": ["hens", "hens"], "use_activation": False})
    assert [row["score"] for row in pairs["data"]] == [1.0, 0.0]
    assert pairs["object"] == "list"


def test_our_own_key_tells_scores_and_status(overlap: Served) -> None:
    body = post(overlap, "/v2/rerank", {"query": QUERY, "documents": DOCUMENTS, "prorank": {"timeout_s": 5.0}})
    assert body["prorank"]["status"] == "ok"
    assert body["prorank"]["calibrated"] is False
    assert body["prorank"]["model_revision"] == "overlap-1"
    assert body["results"][0]["prorank"] == {"score": 0.8, "probability": None, "truncated": False}
    (row,) = post(overlap, "/rerank", {"query": QUERY, "texts": ["fox"], "prorank": {}})
    assert row["prorank"]["score"] == 0.2


def test_every_number_has_a_point_and_at_most_18_characters(overlap: Served) -> None:
    documents = [" ".join(QUERY.split()[:words]) for words in (5, 5, 4, 3, 2, 1, 0, 0)]
    text = overlap.http.post("/v1/rerank", json={"query": QUERY, "documents": documents}).text
    numbers = re.findall(r'"(?:relevance_score|score)":([^,}]+)', text)
    assert len(numbers) == 2 * len(documents)
    assert [number for number in numbers if "." not in number or len(number) > 18] == []


FAULTS: list[tuple[str, object, int]] = [
    ("/v1/rerank", {"query": QUERY, "documents": []}, 400),
    ("/v2/rerank", {"query": " ", "documents": ["a"]}, 400),
    ("/v2/rerank", {"documents": ["a"]}, 400),
    ("/v1/rerank", {"query": QUERY, "documents": ["a"], "top_n": -1}, 400),
    ("/v1/rerank", {"query": QUERY, "documents": ["a"], "prorank": {"timeout": 3}}, 400),
    ("/v2/rerank", {"query": QUERY, "documents": ["a"], "model": "gpt"}, 404),
    ("/v1/rerank", {"query": QUERY, "documents": ["a"] * 1001}, 413),
    ("/rerank", {"query": QUERY, "texts": [1]}, 422),
    ("/rerank", {"query": QUERY, "texts": ["a"], "truncation_direction": "Left"}, 422),
    ("/rerank", {"query": QUERY, "texts": ["a"] * 1001}, 413),
    ("/rerank", {"query": QUERY, "texts": []}, 400),
    ("/score", {"text_1": ["a", "b"], "text_2": ["a", "b", "c"]}, 400),
    ("/rerank", [], 400),
]


@pytest.mark.parametrize(("path", "body", "status"), FAULTS)
def test_what_cannot_be_answered_is_refused_in_the_shapes_own_words(
    overlap: Served, path: str, body: object, status: int
) -> None:
    fault = post(overlap, path, body, status)
    if path == "/v2/rerank":
        assert set(fault) == {"message"}
    elif path == "/score":
        assert fault["error"]["code"] == status
    elif isinstance(body, dict) and "texts" in body:
        assert fault["error_type"] == ("Validation" if body["texts"] else "Empty")
    else:
        assert fault["message"] == fault["detail"] == fault["error"]["message"]


def test_an_unknown_key_of_ours_is_refused_and_not_repeated(overlap: Served) -> None:
    fault = post(overlap, "/v2/rerank", {"query": QUERY, "documents": ["a"], "prorank": {"hush": 1}}, 400)
    assert fault["message"] == "invalid request: prorank: it has an unknown key"


def test_an_unknown_model_is_told_the_known_ones(overlap: Served) -> None:
    fault = post(overlap, "/v2/rerank", {"query": QUERY, "documents": ["a"], "model": "gpt"}, 404)
    assert fault["message"] == "there is no model 'gpt' here; known are: overlap"


@pytest.mark.parametrize("content", [b"{", b'{"query": NaN', b"\xff\xfe\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(overlap: Served, content: bytes) -> None:
    assert overlap.http.post("/v2/rerank", content=content).status_code == 400


def test_half_characters_do_not_stop_a_request(overlap: Served) -> None:
    content = json.dumps({"query": QUERY, "documents": ["a fox \ud83d"], "return_documents": True})
    (row,) = overlap.http.post("/v1/rerank", content=content).json()["results"]
    assert row["document"]["text"] == "a fox \ufffd"


def test_an_empty_document_is_scored_like_any_other(overlap: Served) -> None:
    assert len(post(overlap, "/v2/rerank", {"query": QUERY, "documents": ["", "fox"]})["results"]) == 2


def test_a_body_that_is_too_large_is_refused(serve: Callable[..., Served]) -> None:
    served = serve(OverlapRescorer(), max_body_mb=1)
    body = {"query": QUERY, "documents": ["a" * (1 << 20)]}
    assert "max_body_mb" in post(served, "/v2/rerank", body, 413)["message"]


def test_a_request_id_comes_back(overlap: Served) -> None:
    asked = {"query": QUERY, "documents": DOCUMENTS}
    response = overlap.http.post("/v2/rerank", json=asked, headers={"X-Request-ID": "mine-1"})
    assert (response.headers["x-request-id"], response.json()["id"]) == ("mine-1", "mine-1")
    assert overlap.http.post("/v2/rerank", json=asked, headers={"X-Request-ID": "a b"}).json()["id"] != "a b"


def test_the_cohere_client_v2_works_unmodified(overlap: Served) -> None:
    client = cohere.ClientV2(api_key="none", base_url=overlap.url)
    answer = client.rerank(model="overlap", query=QUERY, documents=DOCUMENTS, top_n=2)
    assert [result.index for result in answer.results] == BEST_FIRST[:2]
    assert answer.results[0].relevance_score > answer.results[1].relevance_score


def test_the_cohere_client_v1_works_unmodified(overlap: Served) -> None:
    client = cohere.Client(api_key="none", base_url=overlap.url)
    answer = client.rerank(model="overlap", query=QUERY, documents=DOCUMENTS, return_documents=True)
    assert [result.index for result in answer.results] == BEST_FIRST
    assert answer.results[0].document is not None
    assert answer.results[0].document.text == DOCUMENTS[BEST_FIRST[0]]


def test_the_cohere_client_raises_its_own_errors(overlap: Served) -> None:
    client = cohere.ClientV2(api_key="none", base_url=overlap.url)
    with pytest.raises(cohere.NotFoundError, match="known are: overlap"):
        client.rerank(model="rerank-v3", query=QUERY, documents=DOCUMENTS)
    with pytest.raises(cohere.BadRequestError):
        client.rerank(model="overlap", query=QUERY, documents=[], request_options=RequestOptions(max_retries=0))


def test_models_info_and_metrics_name_what_is_served(overlap: Served) -> None:
    post(overlap, "/v2/rerank", {"query": QUERY, "documents": DOCUMENTS})
    assert [model["id"] for model in overlap.http.get("/v1/models").json()["data"]] == ["overlap"]
    info = overlap.http.get("/info").json()
    assert (info["model_id"], info["prorank"]["version"]) == ("overlap", version("prorank-search"))
    metrics = overlap.http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'prorank_requests_total{shape="rerank_v2",status="200"}' in metrics.text
    assert "prorank_ready 1.0" in metrics.text


def test_health_needs_no_model(overlap: Served) -> None:
    assert overlap.http.get("/health").status_code == httpx.codes.OK
