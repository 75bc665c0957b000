"""The AWS account that the user's own credentials open, looked at before anything is done in it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import exceptions as aws
from botocore.config import Config

_SIGN_IN = "Sign in (`aws sso login`, or AWS_PROFILE=... in front of the command) and try again."
# What AWS answers to credentials that are none, or none any more; InvalidAccessKeyId is S3's.
NOT_SIGNED_IN = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
}
_QUICKLY = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})


class NotReady(Exception):
    """Something that is needed beforehand is not there. The message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the credentials lead, and as whom; `profile` is the one that was named, if any."""

    id: str
    region: str
    arn: str
    profile: str | None

    @property
    def state_bucket(self) -> str:
        """As terraform/bootstrap names it."""
        return f"lakegate-state-{self.id}-{self.region}"

    def __str__(self) -> str:
        profile = f", profile {self.profile}" if self.profile else ""
        return f"account {self.id}, region {self.region}, as {self.arn}{profile}"


def find_account(values: Mapping[str, str]) -> Account:
    """The account of the credentials, if it is the one of `values`; the region is theirs or the profile's.

    Raises NotReady.
    """
    try:
        session = boto3.Session()
        # boto3 itself knows AWS_DEFAULT_REGION alone; Terraform and the command line know both.
        region = values.get("region") or os.environ.get("AWS_REGION") or session.region_name
        if not region:
            raise NotReady("There is no region: set AWS_REGION, or region in terraform.tfvars.")
        caller = session.client("sts", region_name=region, config=_QUICKLY).get_caller_identity()
    except (aws.NoCredentialsError, aws.PartialCredentialsError):
        raise NotReady(f"There are no AWS credentials. {_SIGN_IN}") from None
    except aws.ProfileNotFound as error:
        raise NotReady(f"{error}. {_SIGN_IN}") from None
    except aws.ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in NOT_SIGNED_IN:
            raise NotReady(f"AWS does not say who you are: {code}. {_SIGN_IN}") from None
        raise NotReady(f"Your AWS credentials are no longer valid ({code}). {_SIGN_IN}") from None
    except aws.BotoCoreError as error:
        raise NotReady(f"AWS cannot be asked who you are: {_one_line(error)}. {_SIGN_IN}") from None
    account = Account(caller["Account"], region, caller["Arn"], os.environ.get("AWS_PROFILE"))
    if (expected := values.get("account_id")) and expected != account.id:
        raise NotReady(f"terraform.tfvars is about account {expected}, but your credentials open {account}.")
    return account


def has_state_bucket(account: Account) -> bool:
    """Raises NotReady if that cannot be found out."""
    return _encryption(account) is not None


def state_backend(account: Account) -> tuple[str, ...]:
    """What `terraform init` has to know of the bucket of the state. Raises NotReady when there is none."""
    encryption = _encryption(account)
    if encryption is None:
        raise NotReady(
            f"There is no bucket {account.state_bucket} for Terraform's state in {account}. "
            "`make bootstrap ENV=...` makes it, once."
        )
    # Without its key, the backend would ask for another encryption than the bucket's, and be refused.
    return (
        f"bucket={account.state_bucket}",
        f"region={account.region}",
        f"kms_key_id={encryption['KMSMasterKeyID']}",
    )


def _encryption(account: Account) -> dict[str, Any] | None:
    """The default encryption of the bucket of the state, or None if there is no such bucket."""
    s3 = boto3.Session().client("s3", region_name=account.region, config=_QUICKLY)
    try:
        answer = s3.get_bucket_encryption(Bucket=account.state_bucket, ExpectedBucketOwner=account.id)
    except aws.ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchBucket":
            return None
        raise NotReady(
            f"The bucket {account.state_bucket} cannot be looked at: {code} for {account}."
        ) from None
    except aws.BotoCoreError as error:
        raise NotReady(f"S3 cannot be reached: {_one_line(error)}.") from None
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    return rule["ApplyServerSideEncryptionByDefault"]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
