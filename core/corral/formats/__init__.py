"""What renderers and parsers are built from; everything here is public for plugin authors.

A parser is mostly data: a `Format` of `State`s that watch tags (`On`) and hand calls to a call syntax (`JsonCalls`,
`XmlCalls`, or an object of your own with a `read` generator). A renderer collects segments with a `PromptBuilder`.
"""

from __future__ import annotations

from corral.formats.answer_grammar import CallGrammar, WritesCalls, format_grammar, format_rule
from corral.formats.assembler import Answer, Assembler, CallIds, fold
from corral.formats.bare_values import bare_rule, text_rule
from corral.formats.call_site import CallSite, CallWriter
from corral.formats.conversation_json import conversation_from_json, tools_from_json
from corral.formats.event_json import answer_to_json, event_to_json
from corral.formats.gbnf import Rules, literal
from corral.formats.json_calls import STATUS, JsonCalls, arguments_rule, arguments_text
from corral.formats.json_reader import Dialect, read_json
from corral.formats.json_strings import Outcome
from corral.formats.machine import CallSyntax, Format, FormatParser, On, State
from corral.formats.named_calls import NamedCalls
from corral.formats.output import EventWriter, Sink
from corral.formats.pieces import PieceParser
from corral.formats.prompts import PromptBuilder
from corral.formats.python_calls import PythonCalls
from corral.formats.scanner import Scan, TagScanner
from corral.formats.schema import Coerced, ParameterType, ToolSchemas, coerce, function_of, type_of
from corral.formats.schema_grammar import schema_rule
from corral.formats.source import Source, Steps
from corral.formats.strict_json import dump_json, escape_json, load_json, load_object, template_text
from corral.formats.thinking import thinking_format
from corral.formats.turns import begins_run, ends_run, last_query, refuse_images, split_prefill, split_thinking
from corral.formats.xml_calls import Head, XmlCalls
from corral.formats.xml_tools import HOW_TO_CALL_XML, xml_call_text, xml_tool_text

__all__ = [
    "HOW_TO_CALL_XML",
    "STATUS",
    "Answer",
    "Assembler",
    "CallGrammar",
    "CallIds",
    "CallSite",
    "CallSyntax",
    "CallWriter",
    "Coerced",
    "Dialect",
    "EventWriter",
    "Format",
    "FormatParser",
    "Head",
    "JsonCalls",
    "NamedCalls",
    "On",
    "Outcome",
    "ParameterType",
    "PieceParser",
    "PromptBuilder",
    "PythonCalls",
    "Rules",
    "Scan",
    "Sink",
    "Source",
    "State",
    "Steps",
    "TagScanner",
    "ToolSchemas",
    "WritesCalls",
    "XmlCalls",
    "answer_to_json",
    "arguments_rule",
    "arguments_text",
    "bare_rule",
    "begins_run",
    "coerce",
    "conversation_from_json",
    "dump_json",
    "ends_run",
    "escape_json",
    "event_to_json",
    "fold",
    "format_grammar",
    "format_rule",
    "function_of",
    "last_query",
    "literal",
    "load_json",
    "load_object",
    "read_json",
    "refuse_images",
    "schema_rule",
    "split_prefill",
    "split_thinking",
    "template_text",
    "text_rule",
    "thinking_format",
    "tools_from_json",
    "type_of",
    "xml_call_text",
    "xml_tool_text",
]
