"""The API's description: the OpenAPI document, Swagger UI and ReDoc, all served from here."""

from functions.docs.routes import group as group
