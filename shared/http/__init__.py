"""The one way to speak HTTP: routes as data, strict input, problems for every error, pages, ETags."""
