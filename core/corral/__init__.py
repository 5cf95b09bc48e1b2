"""Serve local language models; every special part is a plugin."""
