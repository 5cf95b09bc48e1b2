"""Serve local language models; every special part is a plugin.

A plugin imports its words from here: `from corral import Capabilities, Prompt, hookimpl`. Each name is fetched from its
module when it is first asked for, so that `import corral` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.api import (
        ASGIApplication,
        CreateRequest,
        Embedded,
        EmbedRequest,
        Engine,
        Library,
        ModelDetails,
        ModelSummary,
        Receive,
        Rendered,
        Request,
        Reranked,
        RerankRequest,
        RunningModel,
        Scope,
        Send,
    )
    from corral.conversation import (
        Conversation,
        Format,
        Json,
        JsonObject,
        Message,
        NamedTool,
        Prompt,
        Segment,
        SegmentKind,
        Think,
        ToolCall,
        ToolChoice,
    )
    from corral.devices import (
        Absent,
        Device,
        DeviceKind,
        Placement,
        Share,
        Unusable,
    )
    from corral.errors import (
        Busy,
        ContextExceeded,
        CorralError,
        InvalidGGUF,
        InvalidGrammar,
        InvalidInput,
        InvalidModelfile,
        InvalidName,
        InvalidOption,
        InvalidTemplate,
        LoadFailed,
        ModelNotFound,
        NoRoom,
        NotFound,
        PluginError,
        Refused,
        RunnerDied,
        RunnerError,
        SourceError,
        StoreError,
        UnknownName,
        Unsupported,
    )
    from corral.events import (
        CallStatus,
        Constrains,
        ContentDelta,
        Diagnostic,
        Event,
        Finish,
        FinishReason,
        Grammar,
        Logprobs,
        OutputParser,
        ParserEvent,
        ThinkingDelta,
        ThinkingEnd,
        TokenLogprob,
        ToolCallArgsDelta,
        ToolCallEnd,
        ToolCallStart,
        Usage,
    )
    from corral.fetching import (
        ModelSource,
        Part,
        Progress,
        Resolved,
    )
    from corral.markers import (
        API_VERSION,
        hookimpl,
    )
    from corral.options import (
        LoadOptions,
        Options,
        Sampling,
    )
    from corral.runners import (
        Done,
        Embeddings,
        Generation,
        Notice,
        Output,
        Piece,
        Relevance,
        Reranker,
        Runner,
        RunnerInfo,
    )
    from corral.settings import (
        Settings,
    )
    from corral.spec import (
        ApiOffer,
        Capabilities,
        Choice,
        Markers,
        ModelFacts,
        ModelSpec,
        Origin,
        ParserOffer,
        ParserSupport,
        RendererOffer,
        Variable,
    )

    __version__: str

#: Where the public names live; an earlier one costs less to look into.
_HOMES = ("markers", "spec", "conversation", "events", "devices", "errors", "options", "settings", "runners", "fetching", "api")

__all__ = [
    "API_VERSION",
    "ASGIApplication",
    "Absent",
    "ApiOffer",
    "Busy",
    "CallStatus",
    "Capabilities",
    "Choice",
    "Constrains",
    "ContentDelta",
    "ContextExceeded",
    "Conversation",
    "CorralError",
    "CreateRequest",
    "Device",
    "DeviceKind",
    "Diagnostic",
    "Done",
    "EmbedRequest",
    "Embedded",
    "Embeddings",
    "Engine",
    "Event",
    "Finish",
    "FinishReason",
    "Format",
    "Generation",
    "Grammar",
    "InvalidGGUF",
    "InvalidGrammar",
    "InvalidInput",
    "InvalidModelfile",
    "InvalidName",
    "InvalidOption",
    "InvalidTemplate",
    "Json",
    "JsonObject",
    "Library",
    "LoadFailed",
    "LoadOptions",
    "Logprobs",
    "Markers",
    "Message",
    "ModelDetails",
    "ModelFacts",
    "ModelNotFound",
    "ModelSource",
    "ModelSpec",
    "ModelSummary",
    "NamedTool",
    "NoRoom",
    "NotFound",
    "Notice",
    "Options",
    "Origin",
    "Output",
    "OutputParser",
    "ParserEvent",
    "ParserOffer",
    "ParserSupport",
    "Part",
    "Piece",
    "Placement",
    "PluginError",
    "Progress",
    "Prompt",
    "Receive",
    "Refused",
    "Relevance",
    "Rendered",
    "RendererOffer",
    "Request",
    "RerankRequest",
    "Reranked",
    "Reranker",
    "Resolved",
    "Runner",
    "RunnerDied",
    "RunnerError",
    "RunnerInfo",
    "RunningModel",
    "Sampling",
    "Scope",
    "Segment",
    "SegmentKind",
    "Send",
    "Settings",
    "Share",
    "SourceError",
    "StoreError",
    "Think",
    "ThinkingDelta",
    "ThinkingEnd",
    "TokenLogprob",
    "ToolCall",
    "ToolCallArgsDelta",
    "ToolCallEnd",
    "ToolCallStart",
    "ToolChoice",
    "UnknownName",
    "Unsupported",
    "Unusable",
    "Usage",
    "Variable",
    "__version__",
    "hookimpl",
]


if not TYPE_CHECKING:  # a type checker would take any name for an object

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("corral")
        if name in __all__:
            homes = (import_module(f"corral.{home}") for home in _HOMES)
            return next(getattr(home, name) for home in homes if hasattr(home, name))
        raise AttributeError(f"module 'corral' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
