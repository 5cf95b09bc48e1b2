"""Speak to libllama through ctypes; imported in the child process only."""
