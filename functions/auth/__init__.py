"""Accounts: register, log in, who am I."""

from functions.auth.routes import group as group
