"""Projects: what environments belong to."""

from functions.projects.routes import group as group
