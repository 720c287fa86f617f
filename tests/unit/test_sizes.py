"""How long the product's files and functions may be: what is longer has a second subject."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = [path for folder in ("functions", "shared", "local") for path in (ROOT / folder).rglob("*.py")]
FILE_LINES, FUNCTION_LINES = 300, 40


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            yield f"{path.relative_to(ROOT)}: {node.name}", node.end_lineno - node.lineno + 1


def test_no_file_and_no_function_is_longer_than_can_be_taken_in_at_once() -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    functions = [(name, length) for path in FILES for name, length in _functions(path)]
    assert len(lines) > 100
    assert len(functions) > 500
    assert {name: length for name, length in lines.items() if length > FILE_LINES} == {}
    assert [(name, length) for name, length in functions if length > FUNCTION_LINES] == []
