"""Environments: opened in a project, ephemeral or persistent."""

from functions.environments.routes import group as group
