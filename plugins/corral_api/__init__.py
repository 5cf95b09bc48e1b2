"""The HTTP dialects that clients know, each a plugin of its own: ollama, openai, anthropic, metrics."""
