"""What a job tells of an error that is not its own."""

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoRegionError, ParamValidationError

from etl.aws.clients import explain

FILE = "https://raw.s3.amazonaws.com/employee/dt=2026-11-24/ada-lovelace.csv"


def test_of_a_refusal_of_aws_code_and_operation_are_told():
    """They say what to mend; the message may name the object, and so the sender's file."""
    refusal = {"Code": "AccessDenied", "Message": f"not authorized to perform s3:GetObject on {FILE}"}

    assert explain(ClientError({"Error": refusal}, "GetObject")) == "ClientError: AccessDenied in GetObject"


def test_a_trouble_of_the_sdk_is_told_unless_it_names_what_was_asked_for():
    """A message that is always the same helps; one with a URL in it names the file."""
    assert explain(NoRegionError()) == f"NoRegionError: {NoRegionError()}"
    assert explain(EndpointConnectionError(endpoint_url=FILE)) == "EndpointConnectionError"


def test_of_any_other_error_the_class_is_told():
    """A message of somebody else may quote a row."""
    assert explain(ValueError("cannot parse 'Lovelace'")) == "ValueError"


def test_a_complaint_about_a_parameter_is_not_told():
    """The SDK quotes the parameter, which may be rows."""
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(ParamValidationError, match="Lovelace") as caught:
        s3.put_object(Bucket="zone", Key="rows", Body=["Lovelace"])

    assert explain(caught.value) == "ParamValidationError"
