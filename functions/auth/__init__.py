"""Accounts: register, log in, who am I; API tokens for CI."""

from functions.auth import api_token_routes as api_token_routes
from functions.auth.routes import group as group
