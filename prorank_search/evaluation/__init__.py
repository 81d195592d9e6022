"""Measuring search: TREC files, measures, comparison of two runs, the score cache, whole evaluations."""
