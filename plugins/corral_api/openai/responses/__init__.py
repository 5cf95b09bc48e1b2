"""OpenAI's responses: conversations that the server can remember, answered as items."""
