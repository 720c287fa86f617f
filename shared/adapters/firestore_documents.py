"""Documents of one Firestore database, through one connection."""

from collections.abc import Sequence

from google.cloud.firestore_v1 import types

from shared.adapters.firestore_commit import commit
from shared.adapters.firestore_connection import Connection, Patience, Refused, Rpc
from shared.adapters.firestore_query import COUNT, to_count, to_page
from shared.adapters.firestore_values import Message, name, to_document
from shared.adapters.indexes import INDEXES, Declared, description, read
from shared.errors import MissingIndex
from shared.ports import Cursor, Document, Page, Query, Ref, Write

_BatchGet = types.BatchGetDocumentsRequest.pb()
_RunQuery = types.RunQueryRequest.pb()
_RunAggregation = types.RunAggregationQueryRequest.pb()


class FirestoreDocuments:
    """What `FirestoreStore` is in one process."""

    def __init__(self, project: str, database: str, emulator: str | None) -> None:
        self._connection = Connection(project, database, emulator)
        self._client = self._connection.client
        self._database = self._connection.database
        self._parent = f"{self._database}/documents"
        self._declared = Declared(read(INDEXES))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        """See the port."""
        return self.get_many([ref], Patience(within))[0]

    def get_many(self, refs: Sequence[Ref], patience: Patience | None = None) -> list[Document | None]:
        """See the port.

        Of one moment: "read_time [...] may be monotonically increasing, in this case the previous
        documents in the result stream are guaranteed not to have changed between their read_time and
        this one" (google.firestore.v1.BatchGetDocumentsResponse).
        """
        names = [name(self._database, ref) for ref in refs]
        request = types.BatchGetDocumentsRequest.wrap(_BatchGet(database=self._database, documents=names))
        answer = self._connection.read(self._client.batch_get_documents, request, patience or Patience())
        # In whatever order, and each once.
        found = {part.found.name: part.found for part in answer if part.HasField("found")}
        return [
            to_document(ref, found[full]) if full in found else None
            for ref, full in zip(refs, names, strict=True)
        ]

    def find(self, query: Query) -> Page:
        """See the port."""
        self._declared.for_pages(query)
        asked = _RunQuery(parent=self._parent, structured_query=to_page(query, self._database))
        answer = self._ask(query, self._client.run_query, types.RunQueryRequest.wrap(asked))
        found = [_to_listed(query, part.document) for part in answer if part.HasField("document")]
        documents = found[: query.limit]
        return Page(documents, _place(documents[-1], query) if len(found) > query.limit else None)

    def count(self, query: Query) -> int:
        """See the port."""
        index = self._declared.for_count(query)
        asked = _RunAggregation(
            parent=self._parent, structured_aggregation_query=to_count(query, index.order)
        )
        request = types.RunAggregationQueryRequest.wrap(asked)
        (answer,) = self._ask(query, self._client.run_aggregation_query, request)
        return int(answer.result.aggregate_fields[COUNT].integer_value)

    def commit(self, writes: Sequence[Write]) -> None:
        """See the port."""
        commit(self._connection, self.get_many, writes)

    def _ask(self, query: Query, rpc: Rpc, request: object) -> list[Message]:
        try:
            return self._connection.read(rpc, request, Patience())
        except Refused as fault:  # a database whose indexes are older than the program
            raise MissingIndex(description(query)) from fault.__cause__


def _to_listed(query: Query, message: Message) -> Document:
    return to_document(Ref(query.collection, message.name.rpartition("/")[2]), message)


def _place(document: Document, query: Query) -> Cursor:
    return document.data[query.order.field], document.ref.id
