"""Routes of the projects function."""

from collections.abc import Callable

from functions.projects import use_cases
from functions.projects.schemas import DeleteParameters, NewProject, ProjectChanges, ProjectView
from shared import project_documents
from shared.domain.project import Project
from shared.domain.roles import Permission
from shared.errors import BadPageToken, ProjectInUse, QuotaExceeded
from shared.http import pages
from shared.http.answers import represent
from shared.http.routes import Answer, Call, Group, Representation
from shared.http.types import PageParameters
from shared.http.views import created
from shared.reading import read_project

group = Group("projects", "Projects: what environments belong to")


def _view(project: Project) -> Representation:
    return represent(
        ProjectView,
        id=project.id,
        name=project.name,
        description=project.description,
        repo_url=project.repo_url,
        created_at=project.created_at,
        updated_at=project.changed_at,
    )


def _must_match(call: Call) -> Callable[[Project], None]:
    return lambda project: call.require_match(lambda: _view(project))


@group.route(
    "POST",
    "/projects",
    {201: ProjectView},
    refusals=(QuotaExceeded,),
    repeatable=True,
    needs=Permission.ADMIN,
)
def create_project(call: Call, body: NewProject) -> Answer:
    """Create a project.

    The caller owns it. Names need not be unique.
    """
    intent = call.intent("project", body)
    made = use_cases.create_project(call.runtime, call.caller, intent, body)
    project, is_repeat = project_documents.project(made.data), intent.is_repeatable and not made.is_new
    return created(_view(project), f"/projects/{project.id}", is_repeat=is_repeat)


@group.route("GET", "/projects", {200: list[ProjectView]}, refusals=(BadPageToken,))
def list_projects(call: Call, query: PageParameters) -> Answer:
    """List the caller's projects, newest first."""
    page = use_cases.list_projects(call.runtime, call.caller, query.page_size, pages.start(call, query))
    views = [_view(project_documents.project(document.data)) for document in page.documents]
    return pages.page(call, views, page.next)


@group.route("GET", "/projects/{project_id}", {200: ProjectView})
def get_project(call: Call, project_id: str) -> Answer:
    """Show a project."""
    return Answer(200, _view(read_project(call.runtime, call.caller, project_id).project))


@group.route("PATCH", "/projects/{project_id}", {200: ProjectView}, conditional=True, needs=Permission.ADMIN)
def edit_project(call: Call, project_id: str, body: ProjectChanges) -> Answer:
    """Change a project's name, description or repository."""
    changes = body.model_dump(exclude_unset=True)
    project = use_cases.edit_project(call.runtime, call.caller, project_id, changes, _must_match(call))
    return Answer(200, _view(project))


@group.route(
    "DELETE",
    "/projects/{project_id}",
    {204: None},
    refusals=(ProjectInUse,),
    conditional=True,
    needs=Permission.ADMIN,
)
def delete_project(call: Call, project_id: str, query: DeleteParameters) -> Answer:
    """Delete a project.

    With live environments (provisioning, running or failed) only if `force=true`, which ends them too.
    The project and all that belongs to it are gone at once, for `show_deleted` too.
    """
    use_cases.delete_project(call.runtime, call.caller, project_id, _must_match(call), force=query.force)
    return Answer(204)
