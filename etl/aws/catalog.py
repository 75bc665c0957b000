"""The Glue Data Catalog, as PyIceberg's catalog."""

import boto3
from pyiceberg.catalog.glue import GlueCatalog

from etl.aws.clients import ONCE, PATIENT


def open_catalog(endpoint_url: str | None) -> GlueCatalog:
    """A catalog with the process's credentials; Arrow's S3 client has to be told the endpoint.

    It is not told the credentials: it finds them by AWS's usual chain each time it needs them, as boto3 does.
    What is told once would end with the hour for which a role is assumed, before a long merge does.
    """
    session = boto3.Session()
    properties = {"s3.region": session.region_name, "s3.endpoint": endpoint_url}
    glue = session.client("glue", config=PATIENT)
    # A repeated UpdateTable whose first answer was lost meets its own new version and reads as a conflict,
    # after which PyIceberg deletes manifests that are live. So none but the merge's own loop repeats it.
    glue.update_table = session.client("glue", config=ONCE).update_table
    return GlueCatalog("glue", client=glue, **{k: v for k, v in properties.items() if v})
