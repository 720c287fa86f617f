"""The platform's own callbacks: settle one document, sweep for what got lost."""

from functions.tasks.routes import group as group
