"""The roles of a contract: who reads but some rows of the table. Terraform alone makes use of them."""

import re
from collections.abc import Iterable, Iterator, Mapping

import pydantic
from open_data_contract_standard.model import Role

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")  # a part of a role's, a workgroup's and a folder's name


class Rows(pydantic.BaseModel):
    """The role's custom property `rows`: those rows in which a column has a value."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    column: str
    value: str


def problems_of_roles(roles: Iterable[Role], open_types: Mapping[str, str]) -> Iterator[str]:
    """`open_types` are the types of the columns open to analysts: who reads the rows learns the value."""
    names: set[str] = set()
    for role in roles:
        place = f"roles.{role.role}"
        if not _NAME.fullmatch(role.role or ""):
            yield f"{place}: a role is named in kebab-case, such as sales-emea"
        if role.role in names:
            yield f"{place}: it is there twice"
        names.add(role.role or "")
        stated = [custom.value for custom in role.customProperties or [] if custom.property == "rows"]
        try:
            (rows,) = (Rows.model_validate(value) for value in stated)
        except ValueError:  # pydantic's too
            yield f"{place}: one custom property `rows` is expected, with a `column` and its `value` as text"
            continue
        if open_types.get(rows.column) != "string":
            yield f"{place}: {rows.column} is no text column that is public or internal"
