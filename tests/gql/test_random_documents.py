"""Documents at random are answered for by their errors alone."""

from random import Random

from bench.documents import RandomDocuments
from gql.execution.documents import RequestRefused
from gql.execution.operation import OperationRequest, OperationRunner
from gql.root import build_schema


def test_random_valid_documents_are_accepted_or_refused_for_their_size_alone(soak: bool) -> None:
    schema = build_schema()
    runner, documents = OperationRunner(schema), RandomDocuments(schema._schema, Random(7))
    accepted = 0
    for _ in range(5_000 if soak else 200):
        text = documents.next()
        try:
            runner.prepare(OperationRequest(text))
            accepted += 1
        except RequestRefused as refused:
            for error in refused.errors:
                assert error["extensions"]["code"] in {"TOO_LARGE", "TOO_COSTLY"}, (error, text)
    assert accepted > 20
