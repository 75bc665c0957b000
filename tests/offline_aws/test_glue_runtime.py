"""`awsglue.utils` of the offline Glue runtime."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import pytest

from scripts.offline_aws.glue_jobs import RUNTIME

OFFLINE = RUNTIME / "awsglue" / "utils.py"


def load(path: Path, name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


utils = load(OFFLINE, "offline_awsglue_utils")


@pytest.fixture(scope="module")
def glues_own(tmp_path_factory):
    """AWS's own `awsglue.utils`, where its distribution is installed; it needs no cluster for this."""
    try:
        distribution = importlib.metadata.distribution("AWSGlueDataplanePython")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("AWSGlueDataplanePython is not installed")
    stubs = {"py4j": {}, "py4j.java_gateway": {"java_import": None}, "awsglue": {}}
    before = {name: sys.modules.get(name) for name in (*stubs, "awsglue.job")}
    for name, members in stubs.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(members)
    try:
        folder = Path(distribution.locate_file("awsglue"))
        sys.modules["awsglue.job"] = load(folder / "job.py", "awsglue.job")
        yield load(folder / "utils.py", "glues_own_utils")
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def outcome(module: types.ModuleType, argv: list[str], options: list[str]) -> object:
    """The options, or the class and text of the exception."""
    try:
        return module.getResolvedOptions(["script.py", *argv], options)
    except (Exception, SystemExit) as error:
        return type(error).__name__, str(error)


CASES = [
    ([], []),
    (["--dataset", "employee"], ["dataset"]),
    (["--dataset=employee"], ["dataset"]),
    (["--dataset="], ["dataset"]),
    (["--dataset", ""], ["dataset"]),
    (["--dataset", "a=b c"], ["dataset"]),
    ([], ["dataset"]),
    (["--dataset"], ["dataset"]),
    (["--dataset", "--other", "1"], ["dataset"]),
    (["--dataset", "-1"], ["dataset"]),
    (["--dataset", "a", "--dataset", "b"], ["dataset"]),
    (["--dataset", "a", "b", "c", "--x", "y"], ["dataset"]),
    (["--unknown", "1", "--enable-metrics", "", "--dataset", "a"], ["dataset"]),
    (["--data", "a"], ["dataset"]),
    (["--da", "a"], ["dataset", "database"]),
    (["--dataset-x", "a"], ["dataset"]),
    (["--dataset", "a", "--dataset_name", "b"], ["dataset", "dataset_name"]),
    (["--with-hyphen", "a"], ["with-hyphen"]),
    (["--JOB_NAME", "j"], ["JOB_NAME"]),
    (["--JOB_NAME", "j"], []),
    (["--JOB_NAME", "j", "--JOB_RUN_ID", "jr_1", "--JOB_ID", "j_1"], ["JOB_NAME"]),
    (["--JOB_RUN_ID", "jr_1"], ["JOB_RUN_ID"]),
    (["--JOB_ID", "j_1"], ["JOB_ID"]),
    (["--SECURITY_CONFIGURATION", "s"], []),
    (["--WORKFLOW_NAME", "w", "--WORKFLOW_RUN_ID", "wr_1"], ["WORKFLOW_NAME", "WORKFLOW_RUN_ID"]),
    (["--TempDir", "s3://t"], []),
    (["--TempDir", "s3://t"], ["TempDir"]),
    ([], ["TempDir"]),
    (["--RedshiftTempDir", "s3://r"], ["TempDir"]),
    (["--RedshiftTempDir", "s3://r", "--TempDir", "s3://t"], []),
    (["--job-bookmark-option", "job-bookmark-enable"], []),
    (["--job-bookmark-option", "nonsense"], []),
    (["--job-bookmark-option", "job-bookmark-pause", "--job-bookmark-from", "1"], []),
    (["--job-bookmark-option", "job-bookmark-pause", "--job-bookmark-to", "1"], []),
    (
        ["--job-bookmark-option", "job-bookmark-pause", "--job-bookmark-from", "1", "--job-bookmark-to", "2"],
        [],
    ),
    (["--job-bookmark-from", "1", "--job-bookmark-to", "2"], []),
    (["--job-bookmark-from", "1"], []),
    (["--continuation-option", "continuation-enabled"], []),
    (["--continuation-option", "continuation-readonly"], []),
    (["--continuation-option", "continuation-ignore"], []),
    (["--continuation-option", "continuation-enabled", "--job-bookmark-option", "job-bookmark-disable"], []),
    (["--encryption-type", "sse-s3"], []),
    (["--encryption-type", "sse-kms"], []),
    (["--enable-data-lineage", "true"], []),
    *(
        ([], [name])
        for name in (
            "job-bookmark-option",
            "continuation-option",
            "job-bookmark-from",
            "job-bookmark-to",
            "encryption-type",
            "enable-data-lineage",
            "SECURITY_CONFIGURATION",
        )
    ),
    (["--h"], []),
    (["positional", "--dataset", "x"], ["dataset"]),
    (["--", "--dataset", "x"], ["dataset"]),
]


@pytest.mark.parametrize(("argv", "options"), CASES)
def test_it_does_what_glues_own_does(glues_own, argv, options):
    """The same answer, or the same exception with the same text, as the function that Glue has."""
    assert outcome(utils, argv, options) == outcome(glues_own, argv, options)


def test_options_are_taken_in_both_forms_and_the_rest_is_ignored():
    """`--name value` and `--name=value` are one; names that were not asked for do not come back."""
    argv = ["--dataset", "employee", "--environment=local", "--enable-metrics", "", "--extra", "1"]
    resolved = outcome(utils, argv, ["dataset", "environment"])
    assert (resolved["dataset"], resolved["environment"]) == ("employee", "local")
    assert "extra" not in resolved


def test_a_missing_option_or_value_is_a_glue_argument_error():
    """It raises, and does not leave the process as argparse would."""
    for argv in ([], ["--dataset"]):
        with pytest.raises(utils.GlueArgumentError, match="dataset"):
            utils.getResolvedOptions(["script.py", *argv], ["dataset"])


def test_glues_own_arguments_come_along():
    """JOB_RUN_ID and TempDir are in the answer whether asked for or not, None when absent."""
    resolved = utils.getResolvedOptions(["script.py", "--JOB_RUN_ID", "jr_1", "--TempDir", "s3://t"], [])
    assert (resolved["JOB_RUN_ID"], resolved["JOB_ID"]) == ("jr_1", None)
    assert (resolved["TempDir"], resolved["RedshiftTempDir"]) == ("s3://t", "s3://t")
    assert resolved["job_bookmark_option"] == "job-bookmark-disable"


def test_reserved_names_cannot_be_asked_for():
    """A script that asks for a bookmark option is at fault, and learns it."""
    with pytest.raises(RuntimeError, match="reserved arguments job-bookmark-option"):
        utils.getResolvedOptions(["script.py"], ["job-bookmark-option"])


def test_a_prefix_of_a_name_counts_as_the_name_unless_it_is_ambiguous():
    """argparse's abbreviations are on, on Glue too: a trap that a script must fall into here as well."""
    assert utils.getResolvedOptions(["s", "--data", "x"], ["dataset"])["dataset"] == "x"
    with pytest.raises(utils.GlueArgumentError, match="ambiguous"):
        utils.getResolvedOptions(["s", "--data", "x"], ["dataset", "database"])


def test_the_runner_loads_nothing_that_the_script_did_not_ask_for(tmp_path):
    """No AWS library, no argparse: a short job starts as fast as Python does."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; print(sorted({'boto3', 'botocore', 'argparse', 'json'} & set(sys.modules)))"
    )
    command = [sys.executable, "-P", "-s", str(RUNTIME / "runner.py"), str(tmp_path / "error"), str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
