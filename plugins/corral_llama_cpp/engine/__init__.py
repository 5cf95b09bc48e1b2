"""Decide what is decoded next and for whom: pure book-keeping that never imports llama_cpp."""
