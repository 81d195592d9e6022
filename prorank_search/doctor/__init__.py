"""`prorank doctor`: what of an installation works, and what does not.

check.py             what a check is and what it says
installation.py      all checks, in order
model.py             the model's contract, and the device it runs on
first_stage.py       the engine, its indexes, their analysis
rerank_service.py    what a rerank service answers
ml_commons.py        whether OpenSearch's ml-commons can read such an answer
pipelines.py         what an engine has that asks a rerank service
"""
