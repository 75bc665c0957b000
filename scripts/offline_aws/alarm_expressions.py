"""The two little languages of alarms: metric math, and the rules of composite alarms.

Both are read with Python's own parser, and evaluated node by node: nothing is executed.
Of metric math: numbers, names, arithmetic, FILL, MIN, MAX, IF and comparisons, point by point.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")


class NotEmulated(Exception):
    """The expression is valid on AWS, maybe, but not here."""


def calculate(expression: str, points: Mapping[str, float | None]) -> float | None:
    """The value of a metric math expression where the metrics have these values; None is no data point."""
    try:
        return _value(ast.parse(expression, mode="eval").body, points)
    except SyntaxError:
        raise NotEmulated(expression) from None
    except ZeroDivisionError:
        return None  # CloudWatch leaves such a point out


def _value(node: ast.expr, points: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in points:
            return points[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, points)
            return None if value is None else -value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _apply(_ARITHMETIC[type(op)], _value(left, points), _value(right, points))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return _apply(_COMPARISONS[type(op)], _value(left, points), _value(right, points))
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, other]):
            value = _value(filled, points)
            return _value(other, points) if value is None else value
        case ast.Call(func=ast.Name(id="IF"), args=[test, yes, no]):
            holds = _value(test, points)
            return None if holds is None else _value(yes if holds else no, points)
        case ast.Call(func=ast.Name(id="MIN" | "MAX" as name), args=[ast.List(elts=parts)]):
            values = [value for part in parts if (value := _value(part, points)) is not None]
            return ({"MIN": min, "MAX": max}[name])(values) if values else None
    raise NotEmulated(ast.unparse(node))


def _apply(
    function: Callable[[float, float], float], left: float | None, right: float | None
) -> float | None:
    return None if left is None or right is None else float(function(left, right))


def holds(rule: str, states: Mapping[str, str]) -> bool:
    """Whether the rule of a composite alarm is met; `states` are those of all alarms, by name."""
    words = re.split(r'("[^"]*")', rule)  # names keep their case
    python = "".join(w if w.startswith('"') else re.sub(r"\b(AND|OR|NOT)\b", _lower, w) for w in words)
    try:
        return _holds(ast.parse(python.strip(), mode="eval").body, states)
    except SyntaxError:
        raise NotEmulated(rule) from None


def _lower(match: re.Match[str]) -> str:
    return match[0].lower()


def _holds(node: Any, states: Mapping[str, str]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_holds(part, states) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_holds(part, states) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _holds(operand, states)
        case ast.Name(id="TRUE" | "FALSE" as name):
            return name == "TRUE"
        case ast.Call(func=ast.Name(id=state), args=[ast.Constant(value=str(name))]) if state in _STATES:
            return states.get(name.rpartition(":alarm:")[2]) == state
    raise NotEmulated(ast.unparse(node))


def alarms_named_in(rule: str) -> tuple[str, ...]:
    """The names in a composite alarm's rule, in order."""
    return tuple(name.rpartition(":alarm:")[2] for name in re.findall(r'"([^"]+)"', rule))
