"""The ports' implementations. Only `shared.runtime` imports them."""
