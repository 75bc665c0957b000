"""The merge job: merge what the gate of this workflow run staged."""

import sys

from awsglue.utils import getResolvedOptions

from etl.glue_jobs.entry import run_job
from etl.settings import JOB_ARGUMENTS

run_job("merge", getResolvedOptions(sys.argv, list(JOB_ARGUMENTS)))
