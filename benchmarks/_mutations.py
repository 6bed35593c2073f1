"""Where a module can be broken on purpose, and how.

Most ways are the operators of cosmic-ray: another operator, another number, a
condition turned round. Those that leave something out are our own: a keyword, an
entry of a dict, a statement. What changes no behaviour is left alone: annotations,
the words of errors, and what only saves time.
"""

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# Other operators are nearly always errors of type, or the same by accident.
_OPERATORS = re.compile(
    r"core/(ReplaceBinaryOperator_(?!.*(Shift|Bit(?:Or|And|Xor)$)).*"
    r"|ReplaceComparisonOperator_(?!.*(_Is|_IsNot)$).*"
    r"|ReplaceComparisonOperator_Is(Not)?_Is(Not)?"
    r"|ReplaceUnaryOperator_(USub_UAdd|Delete_USub|Delete_Not)"
    r"|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr"
    r"|ReplaceOrWithAnd|ReplaceBreakWithContinue|ReplaceContinueWithBreak"
    r"|ExceptionReplacer|NumberReplacer|RemoveDecorator|ZeroIterationForLoop)"
)
_ONLY_SAVES_TIME = {"lru_cache", "cache"}


class Position(NamedTuple):
    """A place in a module, and the ways in which it can be broken.

    Attributes
    ----------
    line : str
        The line, without indentation.
    column, number : int
        Where it begins in the line, and the how many-th line like that it is.
    kind : str
        What is done there.
    changes : dict of str to callable
        By the name of the operator, what makes new source of the old one.
    """

    line: str
    column: int
    number: int
    kind: str
    changes: dict[str, Callable[[str], str | None]]


def find_positions(source: str) -> list[Position]:
    """Return all places of a module that can be broken."""
    tree = ast.parse(source)
    silent = list(_silent_spans(tree))
    found: dict[tuple[int, int, str], dict[str, Callable]] = {}
    for place, kind, operator, change in (*_by_cosmic_ray(source), *_left_out(tree)):
        if not any(start <= place < end for start, end in silent):
            found.setdefault((*place, kind), {})[operator] = change
    lines = source.splitlines()
    return [
        Position(
            lines[number - 1].strip(),
            column,
            lines[:number].count(lines[number - 1]),
            kind,
            changes,
        )
        for (number, column, kind), changes in sorted(
            found.items(), key=lambda item: item[0]
        )
    ]


def is_code(source: str | None) -> bool:
    """Tell whether Python can read it."""
    try:
        ast.parse(source or "(")
    except SyntaxError:
        return False
    return True


def _silent_spans(tree) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where changes change no behaviour."""
    for node in ast.walk(tree):
        parts = []
        if isinstance(node, ast.Raise):
            parts = [node]
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            parts = [node.annotation]
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            parts = [part for part in node.decorator_list if _saves_time(part)]
            if isinstance(node, ast.FunctionDef):
                parts.append(node.returns)
        for part in parts:
            if part is not None:
                start = (part.lineno, part.col_offset)
                yield start, (part.end_lineno, part.end_col_offset)
                if part in getattr(node, "decorator_list", ()):
                    yield (part.lineno, part.col_offset - 1), start  # its @
        if isinstance(node, ast.arguments) and node.kwonlyargs:
            yield _star_of(node)


def _star_of(arguments):
    """Return the span of the star in front of keywords, which multiplies nothing."""
    first = arguments.kwonlyargs[0]
    before = [*arguments.posonlyargs, *arguments.args, *arguments.defaults]
    ends = [(part.end_lineno, part.end_col_offset) for part in before]
    stop = first.lineno, first.col_offset
    return max(ends, default=(first.lineno - 1, 0)), stop


def _saves_time(decorator):
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called).rpartition(".")[2] in _ONLY_SAVES_TIME


def _by_cosmic_ray(source):
    """Yield place, kind, name and change of what cosmic-ray can do."""
    import cosmic_ray.plugins
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code

    nodes = list(ast_nodes(get_ast(source)))
    for name in cosmic_ray.plugins.operator_names():
        if not _OPERATORS.fullmatch(name):
            continue
        operator = cosmic_ray.plugins.get_operator(name)()
        places = (
            start for node in nodes for start, _ in operator.mutation_positions(node)
        )
        for number, place in enumerate(places):

            def change(source, operator=operator, number=number):
                return mutate_code(source, operator, number)

            kind = name.removeprefix("core/").partition("_")[0]
            yield tuple(place), kind, f"{name} {number}", change


def _left_out(tree):
    """Yield the same of what leaves something out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg is not None:
                    yield _leave_out(keyword, keyword, "LeaveOutKeyword")
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None:
                    yield _leave_out(key, value, "LeaveOutEntry")
        elif _matters(node):
            yield _leave_out(node, node, "LeaveOutStatement", "pass")


def _matters(node):
    """Tell whether it is a statement that can be left out and not be missed."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        # Where there is no other value of that name, all tests would fail.
        read = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
        return all(
            isinstance(target, (ast.Attribute, ast.Subscript))
            or (isinstance(target, ast.Name) and target.id in read)
            for target in node.targets
        )
    return isinstance(node, ast.AugAssign)


def _leave_out(first, last, kind, instead=""):
    start = first.lineno, first.col_offset
    end = last.end_lineno, last.end_col_offset

    def change(source):
        lines = source.encode().splitlines(keepends=True)
        begin, stop = (
            sum(map(len, lines[: line - 1])) + column for line, column in (start, end)
        )
        content = b"".join(lines)
        rest = content[stop:]
        if not instead:
            rest = re.sub(rb"\A\s*,", b"", rest)
        return (content[:begin] + instead.encode() + rest).decode()

    return start, kind, kind, change
