"""`getResolvedOptions`, with the behaviour that scripts meet on Glue 5.1.

Written from Glue's documentation and from what its function was seen to do, quirks included; the tests
compare the two wherever AWS's own package is installed.
"""

import argparse

RESERVED_CHOICES = {
    "job-bookmark-option": ("job-bookmark-enable", "job-bookmark-pause", "job-bookmark-disable"),
    "continuation-option": ("continuation-enabled", "continuation-readonly", "continuation-ignore"),
    "encryption-type": ("sse-s3",),
}
RESERVED_TEXT = (
    "job-bookmark-from",
    "job-bookmark-to",
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "enable-data-lineage",
)
REFUSED = frozenset({"job-bookmark-option", "continuation-option", "job-bookmark-from", "job-bookmark-to"})
"""Asking for one of these is a RuntimeError; for another reserved name, argparse's ArgumentError."""

TEMPORARY_FOLDERS = ("RedshiftTempDir", "TempDir")


class GlueArgumentError(Exception):
    """An option is missing, has no value, or is ambiguous."""


class GlueArgumentParser(argparse.ArgumentParser):
    """Raises instead of leaving the process."""

    def error(self, msg):
        raise GlueArgumentError(msg)


def getResolvedOptions(args, options):  # noqa: N802 - AWS's name
    """The values of `options` in `args`, which is sys.argv with the script's name first.

    Names that are not asked for are ignored, and Glue's own come along whether asked for or not, None when
    absent. An unambiguous prefix of a name counts as the name.
    """
    for name in options:
        if name in REFUSED:
            raise RuntimeError(f"Using reserved arguments {_reserved_label(name)}")
    resolved = vars(_parser(options).parse_known_args(args[1:])[0])
    _share_temporary_folder(resolved)
    _settle_bookmark(resolved)
    return resolved


def _parser(options):
    parser = GlueArgumentParser()
    for name, choices in RESERVED_CHOICES.items():
        parser.add_argument(f"--{name}", choices=choices)
    for name in (*RESERVED_TEXT, *TEMPORARY_FOLDERS):
        parser.add_argument(f"--{name}")
    for name in options:
        if name not in TEMPORARY_FOLDERS:  # never required, even when asked for
            parser.add_argument(f"--{name}", required=True)
    return parser


def _reserved_label(name):
    return f"--{name}" if name in ("job-bookmark-from", "job-bookmark-to") else name


def _share_temporary_folder(resolved):
    folder = resolved["TempDir"] if resolved["TempDir"] is not None else resolved["RedshiftTempDir"]
    resolved.update(dict.fromkeys(TEMPORARY_FOLDERS, folder))


def _settle_bookmark(resolved):
    """The newer option wins over the older one, whose values are translated; the default is disable."""
    older = resolved.pop("continuation_option")
    if resolved["job_bookmark_option"] is None:
        position = RESERVED_CHOICES["continuation-option"].index(older) if older else -1
        resolved["job_bookmark_option"] = RESERVED_CHOICES["job-bookmark-option"][position]
    absent = [name for name in ("from", "to") if resolved[f"job_bookmark_{name}"] is None]
    if resolved["job_bookmark_option"] == "job-bookmark-pause":
        if len(absent) == 1:
            raise RuntimeError(f"Missing option or value for --job-bookmark-{absent[0]}")
    elif not absent:
        raise RuntimeError("Invalid option(s)--job-bookmark-from --job-bookmark-to")
