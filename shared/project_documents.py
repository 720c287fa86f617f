"""How projects lie in the store. Where they lie, `shared.documents` says.

Fields that queries need (member_ids, ended) are stored beside what they follow from.
"""

from shared.domain.project import Joined, Project
from shared.domain.roles import Role
from shared.ports import Data
from shared.times import from_text, to_text


def project_data(project: Project) -> Data:
    """A project as a document."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "repo_url": project.repo_url,
        "roles": {user_id: str(role) for user_id, role in project.roles.items()},
        "member_ids": sorted(project.roles),
        "joined": {user: {**one._asdict(), "at": to_text(one.at)} for user, one in project.joined.items()},
        "created_at": to_text(project.created_at),
        "changed_at": to_text(project.changed_at),
        "as_of": to_text(project.as_of),
        "ended": project.ended_at is not None,
        "ended_at": project.ended_at and to_text(project.ended_at),
        "due_at": project.due_at and to_text(project.due_at),
        "fingerprint": project.fingerprint,
    }


def project(data: Data) -> Project:
    """The project of a document."""
    return Project(
        id=data["id"],
        name=data["name"],
        description=data["description"],
        repo_url=data["repo_url"],
        roles={user_id: Role(role) for user_id, role in data["roles"].items()},
        created_at=from_text(data["created_at"]),
        changed_at=from_text(data["changed_at"]),
        as_of=from_text(data["as_of"]),
        ended_at=data["ended_at"] and from_text(data["ended_at"]),
        due_at=data["due_at"] and from_text(data["due_at"]),
        fingerprint=data.get("fingerprint"),
        joined={
            user: Joined(**{**one, "at": from_text(one["at"])})
            for user, one in data.get("joined", {}).items()  # older documents have none
        },
    )
