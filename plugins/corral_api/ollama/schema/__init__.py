"""Which JSON Ollama's native API reads and writes; its field names live here and nowhere else."""

from __future__ import annotations

from corral_api.ollama.schema.answering import (
    ChatChunk,
    ChatRequest,
    FunctionIn,
    FunctionOut,
    GenerateChunk,
    GenerateRequest,
    MessageIn,
    MessageOut,
    TokenOut,
    ToolCallIn,
    ToolCallOut,
)
from corral_api.ollama.schema.embedding import EmbedAnswer, EmbeddingsAnswer, EmbeddingsRequest, EmbedRequest
from corral_api.ollama.schema.models import (
    ChoiceOut,
    CopyRequest,
    DeleteRequest,
    Details,
    PsAnswer,
    RunningModelOut,
    ShowAnswer,
    ShownMessage,
    ShowRequest,
    TagsAnswer,
    TagsModel,
    TensorOut,
)
from corral_api.ollama.schema.system import CloudState, ErrorOut, Recommendations, StatusAnswer, VersionAnswer
from corral_api.ollama.schema.transfers import CreateRequest, ProgressLine, PullRequest

__all__ = [
    "ChatChunk",
    "ChatRequest",
    "ChoiceOut",
    "CloudState",
    "CopyRequest",
    "CreateRequest",
    "DeleteRequest",
    "Details",
    "EmbedAnswer",
    "EmbedRequest",
    "EmbeddingsAnswer",
    "EmbeddingsRequest",
    "ErrorOut",
    "FunctionIn",
    "FunctionOut",
    "GenerateChunk",
    "GenerateRequest",
    "MessageIn",
    "MessageOut",
    "ProgressLine",
    "PsAnswer",
    "PullRequest",
    "Recommendations",
    "RunningModelOut",
    "ShowAnswer",
    "ShowRequest",
    "ShownMessage",
    "StatusAnswer",
    "TagsAnswer",
    "TagsModel",
    "TensorOut",
    "TokenOut",
    "ToolCallIn",
    "ToolCallOut",
    "VersionAnswer",
]
