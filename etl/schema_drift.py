"""How a file's columns differ from its contract's. Standard library only: reports carry it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """`new_columns` are in the file alone, `missing_columns` in the contract alone.

    `is_reordered`: those that are in both stand in another order.
    """

    new_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    is_reordered: bool = False

    @property
    def changes_schema(self) -> bool:
        return bool(self.new_columns or self.missing_columns)

    def describe(self) -> str | None:
        """In words, for people; None if the columns are the contract's, in its order."""
        parts = []
        if self.new_columns:
            names = ", ".join(self.new_columns)
            parts.append(f"columns that the contract does not declare were taken as text: {names}")
        if self.missing_columns:
            parts.append(
                f"optional columns are missing and were left empty: {', '.join(self.missing_columns)}"
            )
        if self.is_reordered:
            parts.append("the columns stand in another order than the contract's and were matched by name")
        return "; ".join(parts) or None
