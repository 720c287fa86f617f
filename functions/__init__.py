"""One folder is one deployed function: HTTP in, use case, HTTP out. Groups never import each other."""
