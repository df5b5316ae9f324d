"""The mutants of one module: every small change of its syntax tree that an operator knows."""

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

# An operator, the node that it replaces, and what stands there instead.
Mutation = tuple[str, ast.AST, ast.AST]

_COMPARE: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_FUNCTIONS: Final = {
    **{"min": "max", "any": "all", "startswith": "endswith", "partition": "rpartition"},
    **{"max": "min", "all": "any", "endswith": "startswith", "rpartition": "partition"},
}
_WORD: Final = re.compile(r"[A-Za-z][\w.:/#-]*")
# Typing only, or a guard against ourselves: nothing that a test could see.
_NO_MUTANTS: Final = re.compile(
    r"(?:logger|logging|warnings)\.|cast\(|(?:\w+ = )?TypeVar\(|__all__"
)
_TYPE: Final = re.compile(r"dict|list|set|tuple|type|[A-Z]\w*[a-z]")
# Guards against ourselves, and what only a clock could tell.
_KEPT_KEYWORDS: Final = ("strict", "usedforsecurity", "encoding", "gc", "kw_only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: `key` names it however the lines shift; `lines` are those of its statement."""

    module: str
    scope: str
    operator: str
    old: str
    new: str
    line: int
    lines: range
    source: str

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """Module, function, operator, and the code before and after."""
        return self.module, self.scope, self.operator, self.old, self.new


def mutants(module: str, source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    return list(_Module(module, source).mutants())


def draw_mutants(every: list[Mutant], number: int, seed: str) -> list[Mutant]:
    """So many mutants, one operator after the other, so that frequent ones crowd out none."""
    chance = random.Random(seed)  # noqa: S311
    by_operator: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in every:
        by_operator[mutant.operator].append(mutant)
    piles = list(by_operator.values())
    chance.shuffle(piles)
    for pile in piles:
        chance.shuffle(pile)
    drawn: list[Mutant] = []
    while len(drawn) < number and any(piles):
        drawn += [pile.pop() for pile in piles if pile]
    return drawn[:number]


class _Module:
    def __init__(self, name: str, source: str) -> None:
        self._name, self._source = name, source
        # Columns of the tree are counted in UTF-8 bytes.
        self._lines = source.encode().splitlines(keepends=True)
        self._parents: dict[ast.AST, tuple[ast.AST, str, int | None]] = {}
        self._tree = ast.parse(source)
        self._adopt(self._tree)

    def mutants(self) -> Iterator[Mutant]:
        seen = set()
        for node in self._nodes(self._tree):
            for operator, old, new in _changes(node):
                mutant = self._mutant(operator, old, new)
                if mutant is not None and (mutant.source, mutant.key) not in seen:
                    seen.add((mutant.source, mutant.key))
                    yield mutant

    def _adopt(self, node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            children = value if isinstance(value, list) else [value]
            for index, child in enumerate(children):
                if isinstance(child, ast.AST):
                    self._parents[child] = (node, name, index if isinstance(value, list) else None)
                    self._adopt(child)

    def _nodes(self, node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.stmt) and _NO_MUTANTS.match(ast.unparse(node)):
            return
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.keyword) and node.arg in _KEPT_KEYWORDS:
            return
        if isinstance(node, ast.Subscript) and _TYPE.fullmatch(ast.unparse(node.value)):
            return
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_docstring(child):
                    yield from self._nodes(child)

    def _mutant(self, operator: str, old: ast.AST, new: ast.AST) -> Mutant | None:
        place, statement, scope = old, old, []
        ancestor = old
        while ancestor in self._parents:
            if isinstance(ancestor, ast.JoinedStr):
                place = ancestor  # Python 3.11 does not know where the parts of an f-string are.
            if isinstance(ancestor, ast.FunctionDef | ast.ClassDef):
                scope.append(ancestor.name)
            if not isinstance(statement, ast.stmt):
                statement = ancestor
            ancestor = self._parents[ancestor][0]
        text = ast.unparse(new) if place is old else self._within(place, old, new)
        if not isinstance(statement, ast.stmt) or not isinstance(place, ast.expr | ast.stmt):
            return None
        body = getattr(statement, "body", None)
        last = body[0].lineno if body else (statement.end_lineno or 0) + 1
        return Mutant(
            module=self._name,
            scope=".".join(reversed(scope)) or "(module)",
            operator=operator,
            old=ast.unparse(old),
            new=ast.unparse(new),
            line=place.lineno,
            lines=range(statement.lineno, max(last, statement.lineno + 1)),
            source=self._spliced(place, text),
        )

    def _within(self, place: ast.AST, old: ast.AST, new: ast.AST) -> str:
        parent, field, index = self._parents[old]
        children: list[ast.AST] = [] if index is None else getattr(parent, field)
        if index is None:
            setattr(parent, field, new)
        else:
            children[index] = new
        text = ast.unparse(place)
        if index is None:
            setattr(parent, field, old)
        else:
            children[index] = old
        return text

    def _spliced(self, place: ast.expr | ast.stmt, text: str) -> str:
        """The source with another text in one place; no other line moves."""
        first, last = place.lineno - 1, (place.end_lineno or place.lineno) - 1
        if isinstance(place, ast.expr):
            # In brackets of its own it binds as before, and may end on the line where it ended.
            text = "(" + text + "\n" * (last - first) + ")"
        before, after = self._lines[first][: place.col_offset], self._lines[last]
        middle = before + text.encode() + after[place.end_col_offset :]
        if isinstance(place, ast.stmt):
            middle += b"\n" * (last - first)
        return b"".join([*self._lines[:first], middle, *self._lines[last + 1 :]]).decode()


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[Mutation]:
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "boolean", node, ast.BoolOp(other, node.values)
            for index in range(len(node.values)):
                left = _without(node.values, index)
                yield (
                    "condition dropped",
                    node,
                    (left[0] if len(left) == 1 else ast.BoolOp(node.op, left)),
                )
        case ast.BinOp():
            yield from _arithmetic(node)
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", node, node.operand
        case ast.IfExp():
            yield "branches swapped", node, ast.IfExp(node.test, node.orelse, node.body)
        case ast.Constant():
            yield from _constants(node)
        case ast.Call():
            yield from _calls(node)
        case ast.Set() | ast.List() | ast.Tuple() | ast.Dict():
            yield from _collections(node)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            yield from _filters(node)
        case ast.stmt():
            yield from _statements(node)


def _comparisons(node: ast.Compare) -> Iterator[Mutation]:
    for index, op in enumerate(node.ops):
        for other in _COMPARE[type(op)]:
            ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield "comparison", node, ast.Compare(node.left, ops, node.comparators)


def _arithmetic(node: ast.BinOp) -> Iterator[Mutation]:
    if type(node.op) not in _ARITHMETIC:
        return
    yield "arithmetic", node, ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    yield "operand dropped", node, node.left
    yield "operand dropped", node, node.right


def _constants(node: ast.Constant) -> Iterator[Mutation]:
    value = node.value
    if isinstance(value, bool):
        yield "boolean constant", node, ast.Constant(not value)
    elif isinstance(value, int):
        yield "boundary", node, ast.Constant(value + 1)
        yield "boundary", node, ast.Constant(value - 1)
    elif isinstance(value, float):
        yield "boundary", node, ast.Constant(value * 1.01 or 0.01)
    elif isinstance(value, str) and _WORD.fullmatch(value):
        yield "string", node, ast.Constant(f"{value}X")


def _calls(node: ast.Call) -> Iterator[Mutation]:
    args = node.args
    # The smaller or larger of two is the same in either order.
    ordered = len(args) > 1 and ast.unparse(node.func) not in ("min", "max")
    if ordered and not any(isinstance(arg, ast.Starred) for arg in args[:2]):
        swapped = [args[1], args[0], *args[2:]]
        yield "arguments swapped", node, ast.Call(node.func, swapped, node.keywords)
    for index, keyword in enumerate(node.keywords):
        if keyword.arg not in _KEPT_KEYWORDS:
            fewer = ast.Call(node.func, args, _without(node.keywords, index))
            yield "keyword removed", node, fewer
    func = node.func
    if isinstance(func, ast.Name) and func.id in _FUNCTIONS:
        yield "function", node, ast.Call(ast.Name(_FUNCTIONS[func.id]), args, node.keywords)
    if isinstance(func, ast.Attribute) and func.attr in _FUNCTIONS:
        other = ast.Attribute(func.value, _FUNCTIONS[func.attr])
        yield "function", node, ast.Call(other, args, node.keywords)


def _collections(node: ast.Set | ast.List | ast.Tuple | ast.Dict) -> Iterator[Mutation]:
    if isinstance(node, ast.Dict):
        for index in range(len(node.values)):
            rest = ast.Dict(_without(node.keys, index), _without(node.values, index))
            yield "element dropped", node, rest
        return
    if isinstance(getattr(node, "ctx", None), ast.Store) or not node.elts:
        return
    empty = ast.Call(ast.Name("set"), [], []) if isinstance(node, ast.Set) else type(node)([])
    yield "emptied", node, empty
    for index in range(len(node.elts)):
        if len(node.elts) > 1:
            yield "element dropped", node, type(node)(_without(node.elts, index))


def _filters(
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
) -> Iterator[Mutation]:
    for index, loop in enumerate(node.generators):
        for which in range(len(loop.ifs)):
            fewer = ast.comprehension(loop.target, loop.iter, _without(loop.ifs, which), 0)
            loops = [*node.generators[:index], fewer, *node.generators[index + 1 :]]
            if isinstance(node, ast.DictComp):
                yield "filter dropped", node, ast.DictComp(node.key, node.value, loops)
            else:
                yield "filter dropped", node, type(node)(node.elt, loops)


def _statements(node: ast.stmt) -> Iterator[Mutation]:
    match node:
        case ast.If() | ast.While() | ast.Assert():
            if not isinstance(node, ast.While):
                yield "if always", node.test, ast.Constant(True)
            yield "if never", node.test, ast.Constant(False)
            yield "if negated", node.test, ast.UnaryOp(ast.Not(), node.test)
        case ast.Raise():
            yield "raise removed", node, ast.Pass()
        case ast.Continue():
            yield "loop", node, ast.Break()
        case ast.Break():
            yield "loop", node, ast.Pass()
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield "returns None", value, ast.Constant(None)
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign():
            yield "statement removed", node, ast.Pass()
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            # What yields stays a generator.
            nothing = ast.Expr(ast.YieldFrom(ast.Tuple([])))
            yield "statement removed", node, nothing
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield "statement removed", node, ast.Pass()


def _without(items: list[Any], index: int) -> list[Any]:
    return [*items[:index], *items[index + 1 :]]
