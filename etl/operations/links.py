"""Where people look, and what they type."""

from urllib.parse import quote


def replay_command(run_id: str, environment: str) -> str:
    """What a person types to have a run done again from where it failed."""
    where = "" if environment == "local" else f" ENV={environment}"
    return f"make replay RUN={run_id}{where}"


def log_url(region: str, log_group: str, stream: str) -> str:
    """The stream in the CloudWatch console, which wants names escaped twice, with $ for %."""
    group, stream = (quote(quote(name, safe=""), safe="").replace("%", "$") for name in (log_group, stream))
    place = f"log-groups/log-group/{group}/log-events/{stream}"
    return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:{place}"
