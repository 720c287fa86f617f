"""Simulation: what outcomes can be asked for."""

from functions.simulation.routes import group as group
