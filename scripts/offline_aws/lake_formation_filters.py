"""Data cells filters, which moto only lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from moto.lakeformation import urls
from moto.lakeformation.exceptions import AlreadyExists
from moto.lakeformation.models import LakeFormationBackend
from moto.lakeformation.responses import LakeFormationResponse

from scripts.offline_aws.lake_formation_checks import EntityNotFound, check_resource

CellsFilters = dict[tuple[str, str, str], dict[str, Any]]


def filters_of(backend: LakeFormationBackend) -> CellsFilters:
    if not hasattr(backend, "cells_filters"):
        backend.cells_filters = {}
    return backend.cells_filters


def columns_of_filter(cells: dict[str, Any], all_columns: Sequence[str]) -> set[str]:
    if "ColumnNames" in cells:
        return set(cells["ColumnNames"])
    excluded = (cells.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ()
    return set(all_columns) - set(excluded) if cells else set()


def condition_of_filter(cells: dict[str, Any]) -> str | None:
    """The SQL condition that rows have to meet; None where all rows are open."""
    return (cells.get("RowFilter") or {}).get("FilterExpression")


def serve_data_cells_filters() -> None:
    def identity(cells: dict[str, Any]) -> tuple[str, str, str]:
        return cells["DatabaseName"], cells["TableName"], cells["Name"]

    def create_data_cells_filter(self: LakeFormationResponse) -> str:
        cells = {**self._get_param("TableData"), "VersionId": "1"}
        filters = filters_of(self.lakeformation_backend)
        if identity(cells) in filters:
            raise AlreadyExists(f"Data cells filter {cells['Name']} already exists")
        check_resource(
            self.lakeformation_backend,
            {"Table": {"DatabaseName": cells["DatabaseName"], "Name": cells["TableName"]}},
        )
        filters[identity(cells)] = cells
        return "{}"

    def stored(self: LakeFormationResponse, key: tuple[str, str, str]) -> dict[str, Any]:
        try:
            return filters_of(self.lakeformation_backend)[key]
        except KeyError:
            raise EntityNotFound(f"Data cells filter {key[2]} not found") from None

    def key_of_request(self: LakeFormationResponse) -> tuple[str, str, str]:
        return self._get_param("DatabaseName"), self._get_param("TableName"), self._get_param("Name")

    def get_data_cells_filter(self: LakeFormationResponse) -> str:
        return json.dumps({"DataCellsFilter": stored(self, key_of_request(self))})

    def update_data_cells_filter(self: LakeFormationResponse) -> str:
        cells = self._get_param("TableData")
        old = stored(self, identity(cells))
        version = str(int(old["VersionId"]) + 1)
        filters_of(self.lakeformation_backend)[identity(cells)] = {**cells, "VersionId": version}
        return "{}"

    def delete_data_cells_filter(self: LakeFormationResponse) -> str:
        key = key_of_request(self)
        stored(self, key)
        del filters_of(self.lakeformation_backend)[key]
        return "{}"

    def list_data_cells_filter(self: LakeFormationResponse) -> str:
        table = self._get_param("Table") or {}
        asked = (table.get("DatabaseName"), table.get("Name"))
        filters = [
            cells
            for (database, name, _), cells in filters_of(self.lakeformation_backend).items()
            if not table or (database, name) == asked
        ]
        return json.dumps({"DataCellsFilters": filters})

    for method in (
        create_data_cells_filter,
        get_data_cells_filter,
        update_data_cells_filter,
        delete_data_cells_filter,
        list_data_cells_filter,
    ):
        setattr(LakeFormationResponse, method.__name__, method)
        operation = "".join(word.title() for word in method.__name__.split("_"))
        urls.url_paths[f"{{0}}/{operation}$"] = LakeFormationResponse.dispatch
