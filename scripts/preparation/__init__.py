"""Fetching models and preparing data sets; used by fetch_model.py and prepare_data.py. Python 3.9 or newer."""
