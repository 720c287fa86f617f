"""Simulation: what outcomes can be asked for, and a clock that can be advanced."""

from functions.simulation.routes import group as group
