"""What the projects function does with members. Every change holds from the next request on."""

from collections.abc import Callable
from dataclasses import replace

from shared import account_documents, documents, ids, project_documents
from shared.access import Caller
from shared.changing import until_committed
from shared.domain import members
from shared.domain.members import Member
from shared.domain.project import Joined, Project
from shared.domain.roles import Permission, Role
from shared.domain.user import add_to_project, normalise_email
from shared.errors import Fault, InvalidInput
from shared.idempotency import Intent
from shared.ports import Cursor, Document, Ref, Update
from shared.reading import ProjectSeen, read_project
from shared.runtime import Runtime
from shared.times import to_text

Matching = Callable[[Member], None]
"""Raises PreconditionFailed for what is not as the client believes."""


def add_member(
    runtime: Runtime, caller: Caller, project_id: str, intent: Intent, email: str, role: Role
) -> tuple[Member, bool]:
    """A new member, and whether an earlier request with the same idempotency key has added them.

    Raises InvalidInput for an address that nobody has registered with, AlreadyMember, TooManyMembers or
    KeyReused. The account's document changes too: it fences, so that no membership outlives its account.
    """
    address = normalise_email(email)
    ref = documents.user_ref(runtime.keys.email_key(address))
    attempts = 0

    def attempt() -> tuple[Member, bool]:
        nonlocal attempts
        attempts += 1
        seen = read_project(runtime, caller, project_id, [ref])
        earlier = members.added_by(seen.project, intent.part)
        if earlier is not None:
            intent.refuse_another(seen.project.joined[earlier].fingerprint)
            return members.member(seen.project, earlier), attempts == 1
        account = _registered(seen.beside.get(ref))
        user = add_to_project(account_documents.user(account.data))
        joined = Joined(address, seen.now, intent.part, intent.fingerprint)
        changed = members.add(seen.project, user.id, role, joined)
        project = Update(seen.document.ref, project_documents.project_data(changed), seen.document.version)
        runtime.store.commit(project, Update(ref, account_documents.user_data(user), account.version))
        return members.member(changed, user.id), False

    return until_committed(f"Project {project_id}", attempt)


def list_members(
    runtime: Runtime, caller: Caller, project_id: str, limit: int, after: Cursor | None
) -> tuple[list[Member], Cursor | None]:
    """A page of a project's members, who came last first, and where the next one starts."""
    everybody = members.newest_first(read_project(runtime, caller, project_id).project)
    left = [one for one in everybody if after is None or _cursor(one) < after]
    shown = left[:limit]
    refs = {one.user_id: _account(one.user_id) for one in shown if one.email is None}
    accounts = dict(zip(refs, runtime.store.get_many([*refs.values()]), strict=True)) if refs else {}
    page = [_addressed(one, accounts.get(one.user_id)) for one in shown]
    return page, _cursor(shown[-1]) if len(left) > limit else None


def read_member(runtime: Runtime, caller: Caller, project_id: str, user_id: str) -> Member:
    """A member of a project. Raises NotFound."""
    return _member(_read(runtime, caller, project_id, user_id), user_id)


def give_role(
    runtime: Runtime, caller: Caller, project_id: str, user_id: str, role: Role, matching: Matching
) -> Member:
    """A member in another role. Raises NotFound, LastOwner or PreconditionFailed."""

    def attempt() -> Member:
        seen = _read(runtime, caller, project_id, user_id)
        matching(_member(seen, user_id))
        changed = members.give_role(seen.project, user_id, role, seen.now)
        if changed is not seen.project:
            _update(runtime, seen, changed)
        return _member(seen, user_id)._replace(role=role)

    return until_committed(f"Project {project_id}", attempt)


def remove_member(
    runtime: Runtime, caller: Caller, project_id: str, user_id: str, matching: Matching
) -> None:
    """A project without a member. Raises NotFound, LastOwner or PreconditionFailed.

    Who leaves needs no permission but to see the project; an API token leaves for nobody without `admin`.
    """
    is_leaving = user_id == caller.user_id and caller.credential is None
    remover = replace(caller, needs=Permission.READ) if is_leaving else caller

    def attempt() -> None:
        seen = _read(runtime, remover, project_id, user_id)
        matching(_member(seen, user_id))
        _update(runtime, seen, members.remove(seen.project, user_id, seen.now))

    until_committed(f"Project {project_id}", attempt)


def _read(runtime: Runtime, caller: Caller, project_id: str, user_id: str) -> ProjectSeen:
    """The project, and the member's account in the same call."""
    return read_project(runtime, caller, project_id, [_account(user_id)] if ids.is_id("usr", user_id) else [])


def _account(user_id: str) -> Ref:
    return documents.user_ref(ids.email_key_of(user_id))


def _member(seen: ProjectSeen, user_id: str) -> Member:
    found = members.member(seen.project, user_id)
    return _addressed(found, seen.beside.get(_account(user_id)))


def _addressed(member: Member, account: Document | None) -> Member:
    """With the address from the account, where that is still theirs."""
    is_theirs = account is not None and account.data["id"] == member.user_id
    return member._replace(email=account.data["email"]) if account is not None and is_theirs else member


def _registered(account: Document | None) -> Document:
    if account is None:
        raise InvalidInput([Fault("/email", "is an address that nobody has registered with")])
    return account


def _cursor(member: Member) -> Cursor:
    return (to_text(member.joined_at), member.user_id)


def _update(runtime: Runtime, seen: ProjectSeen, changed: Project) -> None:
    runtime.store.commit(
        Update(seen.document.ref, project_documents.project_data(changed), seen.document.version)
    )
