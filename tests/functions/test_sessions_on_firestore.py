"""Sessions and the throttle over Firestore: the same documents, decided by its versions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest

from local.google.firestore_emulator import Emulator
from shared import documents
from shared.adapters.firestore_store import FirestoreStore
from tests.functions.accounts import account, login, refresh
from tests.functions.api import KEYS, Api
from tests.functions.doubles import CountingStore

pytestmark = pytest.mark.google


@pytest.fixture
def api(emulator: Emulator, tmp_path: Path) -> Iterator[Api]:
    made = Api(tmp_path)
    made.store = CountingStore(FirestoreStore("envctl-tests", f"t-{token_hex(8)}", emulator.host))
    made.runtime = replace(made.runtime, store=made.store)
    yield made
    made.database.close()


def test_a_session_is_rotated_once_listed_and_ended(api: Api) -> None:
    user = account(api, "user@example.com")
    signed = login(api, user.email)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: refresh(api, signed["refresh_token"]), range(8)))
    [successor] = {reply["refresh_token"] for reply in replies}
    token = refresh(api, successor)["access_token"]
    [shown] = api.get("/api/v1/auth/sessions", token=token).body
    assert api.delete(f"/api/v1/auth/sessions/{shown['id']}", token=token).status == 204
    assert api.get("/api/v1/auth/sessions", token=token).body == []


def test_guesses_are_counted_and_refused(api: Api) -> None:
    user = account(api, "user@example.com")
    assert [login(api, user.email, "wrong").status for _ in range(7)] == [*[401] * 5, *[429] * 2]
    assert len(api.stored(documents.throttle_ref(KEYS.email_key(user.email))).data["waiting"]) == 1
    api.advance(1)
    assert login(api, user.email).status == 200
