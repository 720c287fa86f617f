"""How accounts lie in the store. Where they lie, `shared.documents` says."""

from shared.domain.user import User
from shared.ports import Data
from shared.times import from_text, to_text


def user_data(user: User) -> Data:
    """A user as a document."""
    return {
        "id": user.id,
        "email": user.email,
        "password_hash": user.password_hash,
        "created_at": to_text(user.created_at),
        "generation": user.generation,
        "api_tokens_made": user.api_tokens_made,
        "times_added": user.times_added,
    }


def user(data: Data) -> User:
    """The user of a document."""
    return User(
        id=data["id"],
        email=data["email"],
        password_hash=data["password_hash"],
        created_at=from_text(data["created_at"]),
        generation=data.get("generation", 0),
        api_tokens_made=data.get("api_tokens_made", 0),
        times_added=data.get("times_added", 0),
    )
