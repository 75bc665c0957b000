"""The gate job: validate the batch of this workflow run, and stage the rows that passed."""

import sys

from awsglue.utils import getResolvedOptions

from etl.glue_jobs.entry import run_job
from etl.settings import JOB_ARGUMENTS

run_job("gate", getResolvedOptions(sys.argv, list(JOB_ARGUMENTS)))
