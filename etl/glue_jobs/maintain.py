"""The maintenance job: keep the tables of a dataset in order. It belongs to no workflow and has no batch."""

import sys

from awsglue.utils import getResolvedOptions

from etl.glue_jobs.entry import run_job
from etl.settings import MAINTENANCE_ARGUMENTS

run_job("maintain", getResolvedOptions(sys.argv, list(MAINTENANCE_ARGUMENTS)))
