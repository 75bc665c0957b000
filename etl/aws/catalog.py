"""The Glue Data Catalog, as PyIceberg's catalog."""

import boto3
from pyiceberg.catalog.glue import GlueCatalog

from etl.aws.clients import ONCE, PATIENT


def open_catalog(endpoint_url: str | None) -> GlueCatalog:
    """A catalog with the process's credentials; Arrow's S3 client has to be told them, and the endpoint."""
    session = boto3.Session()
    credentials = session.get_credentials().get_frozen_credentials()
    properties = {
        "s3.access-key-id": credentials.access_key,
        "s3.secret-access-key": credentials.secret_key,
        "s3.session-token": credentials.token,
        "s3.region": session.region_name,
        "s3.endpoint": endpoint_url,
    }
    glue = session.client("glue", config=PATIENT)
    # A repeated UpdateTable whose first answer was lost meets its own new version and reads as a conflict,
    # after which PyIceberg deletes manifests that are live. So none but the merge's own loop repeats it.
    glue.update_table = session.client("glue", config=ONCE).update_table
    return GlueCatalog("glue", client=glue, **{k: v for k, v in properties.items() if v})
