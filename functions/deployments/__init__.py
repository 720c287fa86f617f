"""Deployments: versions rolled out to an environment, with their logs."""

from functions.deployments.routes import group as group
