"""Projects: what environments belong to, and who belongs to them."""

from functions.projects import member_routes as member_routes
from functions.projects.routes import group as group
