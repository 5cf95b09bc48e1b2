"""Which commands there are: their sections, and the one line that help shows of each without importing it."""

from __future__ import annotations

#: Section, then command and summary. The module of a command is `corral.cli.<name>`, its object `command`.
SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Serving",
        (
            ("serve", "Start the server."),
            ("run", "Talk to a model."),
            ("ps", "List loaded models."),
            ("stop", "Unload a model."),
        ),
    ),
    (
        "Models",
        (
            ("pull", "Fetch a model."),
            ("create", "Make a model from a Modelfile."),
            ("list", "List installed models."),
            ("show", "Show what is known about a model."),
            ("cp", "Give a model a second name."),
            ("rm", "Remove models."),
        ),
    ),
    (
        "Looking inside",
        (
            ("plugins", "List plugins and what they offer."),
            ("devices", "List the devices that models can run on."),
            ("plan", "Show where a model would be placed, and why."),
            ("render", "Print the prompt of a conversation."),
            ("parse", "Parse a model's output into events."),
            ("replay", "Send the requests of a log again."),
        ),
    ),
    (
        "This installation",
        (
            ("doctor", "Check that everything works, and say what to do."),
            ("keys", "Manage the API keys of the server."),
            ("config", "Show every setting and where it came from."),
            ("version", "Show the versions of corral and of the server."),
            ("completion", "Print the completion script for a shell."),
        ),
    ),
)

#: Other names that people type; the first two are Ollama's.
ALIASES = {"start": "serve", "ls": "list"}

SUMMARIES = {name: summary for _, commands in SECTIONS for name, summary in commands}
