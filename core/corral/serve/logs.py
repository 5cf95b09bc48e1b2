"""How the server's log looks: lines for people, or JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.settings import Settings


def set_up_logs(settings: Settings) -> None:
    """Send everything that corral and the web server say to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.log_json else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("corral")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(settings.log.upper())
    # Hypercorn's own "Running on" says the same as our announcement.
    logging.getLogger("corral.http").setLevel(max(logging.WARNING, logger.level))


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback of a bug."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
