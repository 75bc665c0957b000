"""What roles may do though no recorded request needed it, each with the reason."""

from fnmatch import fnmatchcase

from tests.e2e.permissions import Statement

_BY_AWS = "a service does it in the role's name on AWS; the offline one does it without a request"
_RARELY = "needed only when another writer came first, or a run was killed: tests/torture, tests/integration"
_NOT_FOUND = "without it, what is not there would be forbidden instead of not found"
_RETRIED = "no run of this story is tried again: tests/e2e/test_demo.py has one"
_NIGHT = "a night in which a file is found whose event was lost: tests/e2e/test_demo.py"

# Role (without the prefix of all), statement and action, each with * as it may; the first that fits counts.
REASONS: tuple[tuple[str, str, str, str], ...] = (
    ("sweeper", "*", "*", "EventBridge Scheduler is the only one who takes it"),
    (
        "catalog-encryption",
        "*",
        "kms:*",
        "Glue encrypts its catalog with it; the offline one keeps it in memory",
    ),
    ("handle-failure", "QueueRetries", "sqs:*", _RETRIED),
    ("resume-run", "*", "*", _RETRIED),
    ("operator", "*", "*", "for make backfill, replay and status, which no run of this story needs"),
    (
        "merge-job",
        "WriteQuarantine",
        "s3:*",
        "for rows that leave the quarantine: tests/integration/test_backfill.py",
    ),
    ("merge-job", "ResolveInterventions", "s3:*", _RETRIED),
    ("*", "WriteLog", "logs:*", _BY_AWS),
    ("*", "Trace", "xray:*", _BY_AWS),
    ("*", "ReadQueue", "sqs:*", _BY_AWS),
    ("*", "KeepWhatFailed", "sqs:SendMessage", _BY_AWS),
    ("*", "ReadEnvironment", "kms:Decrypt", _BY_AWS),
    ("*scheduler", "*", "*", "EventBridge Scheduler is the only one who takes it"),
    (
        "lake-formation",
        "*",
        "*",
        "Lake Formation hands it out to whoever it granted to; Athena's offline does not ask",
    ),
    ("crawler", "*", "*", "the crawler is Glue's own program; the offline one reads without a request"),
    ("*-job", "TemporaryFiles", "s3:*", "Glue spills there by itself"),
    ("*-job", "ListCode", "s3:ListBucket", _NOT_FOUND),
    ("*", "ListDocs", "s3:ListBucket", _NOT_FOUND),
    ("*-job", "Write*", "s3:DeleteObject", _RARELY),
    ("*-job", "Write*", "s3:AbortMultipartUpload", _RARELY),
    (
        "maintain-job",
        "*",
        "*",
        "with tables this young there is nothing to join or to remove: test_maintenance.py",
    ),
    ("merge-job", "ConfirmKeys", "s3:GetObject", "read when an older batch comes after a newer one"),
    ("start-workflow", "Find*", "s3:*", _NIGHT),
    ("probe-freshness", "FindLandedFiles", "s3:ListBucketVersions", "a day without a file of it"),
    ("*", "Query", "athena:*", "for the console of Athena, which readers use"),
    ("*", "ReadCatalog", "glue:*", "for the console of Athena, and for the service itself"),
    ("*", "AskLakeFormation", "lakeformation:GetDataAccess", _BY_AWS),
    ("*", "FindResults", "s3:*", _BY_AWS),
    ("*", "ListOwnResults", "s3:*", _BY_AWS),
    ("*", "OwnResults", "s3:*", _BY_AWS),
    ("*", "EncryptResults", "kms:*", _BY_AWS),
)


def has_reason(role: str, statement: Statement, action: str) -> bool:
    return any(
        fnmatchcase(role, of) and fnmatchcase(statement.sid, sid) and fnmatchcase(action, what)
        for of, sid, what, _ in REASONS
    )
