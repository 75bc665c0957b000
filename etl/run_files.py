"""Keys of what a run leaves in the docs zone. Standard library only: the Lambdas use it."""


def manifest_key(dataset: str, run_id: str) -> str:
    return f"runs/{dataset}/{run_id}/manifest.json"


def gate_report_key(dataset: str, run_id: str) -> str:
    return f"runs/{dataset}/{run_id}/gate.json"


def merge_report_key(dataset: str, run_id: str) -> str:
    return f"runs/{dataset}/{run_id}/merge.json"
