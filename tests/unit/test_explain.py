"""What a job tells of an error that is not its own."""

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError, ParamValidationError

from etl.aws.clients import explain

REFUSAL = ClientError({"Error": {"Code": "AccessDenied", "Message": "not yours"}}, "GetObject")


@pytest.mark.parametrize("error", [REFUSAL, NoRegionError()])
def test_what_aws_says_is_told(error: ClientError | BotoCoreError):
    """Class and message of AWS's answers, and of the SDK's own troubles: they say what to mend."""
    assert explain(error) == f"{type(error).__name__}: {error}"


def test_of_any_other_error_the_class_is_told():
    """A message of somebody else may quote a row."""
    assert explain(ValueError("cannot parse 'Lovelace'")) == "ValueError"


def test_a_complaint_about_a_parameter_is_not_told():
    """The SDK quotes the parameter, which may be rows."""
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(ParamValidationError, match="Lovelace") as caught:
        s3.put_object(Bucket="zone", Key="rows", Body=["Lovelace"])

    assert explain(caught.value) == "ParamValidationError"
