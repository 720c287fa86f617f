"""Routes of a project's members."""

from collections.abc import Callable

from functions.projects import members
from functions.projects.routes import group
from functions.projects.schemas import MemberView, NewMember, NewRole
from shared.account_errors import AlreadyMember, LastOwner, TooManyMembers
from shared.domain.members import Member
from shared.domain.roles import Permission
from shared.errors import BadPageToken
from shared.http import pages
from shared.http.answers import represent
from shared.http.routes import Answer, Call, Representation
from shared.http.types import PageParameters
from shared.http.views import created

_MEMBERS = "/projects/{project_id}/members"
_MEMBER = "/projects/{project_id}/members/{user_id}"


def _view(member: Member) -> Representation:
    return represent(MemberView, **member._asdict())


def _must_match(call: Call) -> Callable[[Member], None]:
    return lambda member: call.require_match(lambda: _view(member))


@group.route(
    "POST",
    _MEMBERS,
    {201: MemberView},
    refusals=(AlreadyMember, TooManyMembers),
    repeatable=True,
    needs=Permission.ADMIN,
)
def add_member(call: Call, project_id: str, body: NewMember) -> Answer:
    """Add a member to a project.

    Somebody who has registered, by their address. An address that nobody has registered with is 422.
    """
    intent = call.intent("member", body)
    member, is_repeat = members.add_member(
        call.runtime, call.caller, project_id, intent, body.email, body.role
    )
    path = f"/projects/{project_id}/members/{member.user_id}"
    return created(_view(member), path, is_repeat=is_repeat)


@group.route("GET", _MEMBERS, {200: list[MemberView]}, refusals=(BadPageToken,))
def list_members(call: Call, project_id: str, query: PageParameters) -> Answer:
    """List a project's members, who came last first."""
    after = pages.start(call, query)
    page, following = members.list_members(call.runtime, call.caller, project_id, query.page_size, after)
    return pages.page(call, [_view(member) for member in page], following)


@group.route("GET", _MEMBER, {200: MemberView})
def get_member(call: Call, project_id: str, user_id: str) -> Answer:
    """Show a member of a project."""
    return Answer(200, _view(members.read_member(call.runtime, call.caller, project_id, user_id)))


@group.route(
    "PATCH", _MEMBER, {200: MemberView}, refusals=(LastOwner,), conditional=True, needs=Permission.ADMIN
)
def edit_member(call: Call, project_id: str, user_id: str, body: NewRole) -> Answer:
    """Give a member another role.

    It holds at once. To hand a project over, make somebody else an owner, then leave.
    """
    member = members.give_role(call.runtime, call.caller, project_id, user_id, body.role, _must_match(call))
    return Answer(200, _view(member))


@group.route("DELETE", _MEMBER, {204: None}, refusals=(LastOwner,), conditional=True, needs=Permission.ADMIN)
def remove_member(call: Call, project_id: str, user_id: str) -> Answer:
    """Remove a member from a project, or leave it.

    It holds at once. Everybody may leave, but for the last owner.
    """
    members.remove_member(call.runtime, call.caller, project_id, user_id, _must_match(call))
    return Answer(204)
