"""A validation's results as HTML: Great Expectations' own rendering, with what it leaves out.

GX shows neither an expectation's severity nor its name, and does not escape all text: both are seen to here.
"""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl.outcome import ExpectationOutcome, Severity
from etl.quality.validate import Validation

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from markupsafe import Markup

COLOURS = {Severity.CRITICAL: "danger", Severity.WARNING: "warning", Severity.INFO: "info"}
_TABLE_LEVEL = "Table-Level Expectations"  # GX's heading for what names no single column


@dataclass(frozen=True, slots=True)
class Section:
    """The expectations about one column, by name. `number` is in its anchor; `colour` is that of its worst
    failure; `html` is markup, in which all text is escaped."""

    number: int
    name: str
    expectations: tuple[str, ...]
    failed: int
    colour: str
    html: "Markup"


def render_sections(validation: Validation) -> list[Section]:
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaSectionView
    from markupsafe import Markup

    document = ValidationResultsPageRenderer().render(_load(validation)).to_json_dict()
    outcomes = {outcome.name: outcome for outcome in validation.outcomes}
    view = DefaultJinjaSectionView()
    sections = []
    for number, section in enumerate(document["sections"][1:], 2):  # the first is GX's overview
        title = section["section_name"]
        shown = [outcomes[name] for name in _names(validation, title)]
        _mark(section, shown)
        failed = [outcome for outcome in shown if not outcome.success]
        severities = {outcome.severity for outcome in failed}
        colour = next((colour for severity, colour in COLOURS.items() if severity in severities), "success")
        page = Markup(view.render({"section": section, "section_loop": {"index": number}}))
        names = tuple(outcome.name for outcome in shown)
        sections.append(Section(number, title, names, len(failed), colour, page))
    return sections


def _load(validation: Validation) -> "ExpectationSuiteValidationResult":
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResultSchema,
    )

    return ExpectationSuiteValidationResultSchema().load(_escaped(dict(validation.results)))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return html.escape(value, quote=False)
    if isinstance(value, dict):
        return {key: _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(inner) for inner in value]
    return value


def _names(validation: Validation, section_name: str) -> Iterator[str]:
    """The expectations that GX puts into a section, in its order."""
    for result in validation.results["results"]:
        config = result["expectation_config"]
        if config["kwargs"].get("column", _TABLE_LEVEL) == section_name:
            yield config["meta"]["name"]


def _mark(section: dict[str, Any], shown: list[ExpectationOutcome]) -> None:
    """Put severity and name into each row of a section's table, and give its icon the severity's colour."""
    table = next(b["table"] for b in section["content_blocks"] if b["content_block_type"] == "table")
    for row, outcome in zip(table, shown, strict=True):
        texts = row[1] if isinstance(row[1], list) else [row[1]]
        if outcome.error is not None:
            # In place of GX's fold-out with a traceback, which there is none of and which needs a script.
            texts = [_text(outcome.description), _text(f"It broke: {outcome.error}", "text-danger", tag="p")]
            row[2] = "--"
        elif not outcome.success:
            _replace(row, "text-danger", f"text-{COLOURS[outcome.severity]}")
        # Only what failed is coloured, so that it stands out.
        colour = "met" if outcome.success else COLOURS[outcome.severity]
        severity = _text(outcome.severity, "badge", f"badge-{colour}")
        row[1] = [severity, _text(outcome.name, "expectation-name", tag="code"), *texts]


def _text(text: str, *classes: str, tag: str = "span") -> dict[str, Any]:
    """A content block of GX: `text` as it stands, in one element."""
    return {
        "content_block_type": "string_template",
        "string_template": {
            "template": "$text",
            "params": {"text": text},  # escaped by GX, as all params are
            "tag": tag,
            "styling": {"classes": list(classes)},
        },
    }


def _replace(value: Any, old: str, new: str) -> None:
    """Replace one CSS class wherever it is applied inside a rendered cell."""
    if isinstance(value, dict):
        if old in value.get("classes", ()):
            value["classes"] = [new if name == old else name for name in value["classes"]]
        for inner in value.values():
            _replace(inner, old, new)
    elif isinstance(value, list):
        for inner in value:
            _replace(inner, old, new)
