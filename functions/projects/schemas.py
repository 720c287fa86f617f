"""Shapes of the projects function's requests and answers."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.domain.roles import Role
from shared.http.types import (
    Description,
    Flag,
    Input,
    Name,
    Parameters,
    ProjectId,
    RepoUrl,
    Resource,
    Time,
    UserId,
)


class NewProject(Input):
    """A project to create."""

    name: Name = Field(examples=["payments"])
    description: Description | None = Field(default=None, examples=["payment service"])
    repo_url: RepoUrl | None = Field(default=None, examples=["https://git.example.com/payments.git"])


class ProjectChanges(Input):
    """Fields to change; what is left out stays, null unsets what may be unset."""

    # May be left out and not be null; the default is never looked at, nor shown in the document.
    name: Name = Field(default_factory=str, examples=["payments"])
    description: Description | None = Field(default=None, examples=["payment service"])
    repo_url: RepoUrl | None = Field(default=None, examples=["https://git.example.com/payments.git"])


class DeleteParameters(Parameters):
    """How to delete a project."""

    force: Flag = Field(default=False, description="End its live environments too.")


class ProjectView(Resource):
    """A project."""

    id: ProjectId
    name: str = Field(examples=["payments"])
    description: str | None = Field(examples=["payment service"])
    repo_url: str | None = Field(examples=["https://git.example.com/payments.git"])
    created_at: Time
    updated_at: Time


class NewMember(Input):
    """Somebody to add to a project."""

    email: Annotated[str, StringConstraints(max_length=254)] = Field(examples=["colleague@example.com"])
    role: Role = Field(strict=False, examples=["deployer"])


class NewRole(Input):
    """What a member is to be."""

    role: Role = Field(strict=False, examples=["viewer"])


class MemberView(Resource):
    """A member of a project."""

    user_id: UserId
    email: str | None = Field(
        description="null when the account is gone.", examples=["colleague@example.com"]
    )
    role: Role = Field(
        description="`viewer` reads; `deployer` also opens, changes and ends environments and deployments; "
        "`owner` also changes the project and its members."
    )
    joined_at: Time
