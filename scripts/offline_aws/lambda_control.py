"""Lambda's control plane: the parts of a function's configuration that moto drops."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction

from scripts.offline_aws.state import ServerState

DROPPED_FIELDS = ("DeadLetterConfig", "LoggingConfig")
UPDATES_MOTO_IGNORES = {"TracingConfig": "tracing_config", "KMSKeyArn": "kms_key_arn"}


def install(_: ServerState) -> None:
    init, get_configuration = LambdaFunction.__init__, LambdaFunction.get_configuration
    update_configuration, update_code = (
        LambdaFunction.update_configuration,
        LambdaFunction.update_function_code,
    )

    def init_and_keep(
        self: LambdaFunction, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any
    ) -> None:
        init(self, account_id, spec, *rest, **named)
        self.kept = {field: spec[field] for field in DROPPED_FIELDS if field in spec}

    def get_with_kept(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        # Lambda answers the logging it applies where none was configured.
        logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"}
        kept = {field: value for field, value in self.kept.items() if value}
        kept["LoggingConfig"] = {**logging, **kept.get("LoggingConfig", {})}
        return {**get_configuration(self, on_create), **kept}

    def update_and_keep(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
        self.kept |= {field: config_updates[field] for field in DROPPED_FIELDS if field in config_updates}
        for field, attribute in UPDATES_MOTO_IGNORES.items():
            if field in config_updates:
                setattr(self, attribute, config_updates[field])
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        update_configuration(self, config_updates)
        return self.get_configuration()

    def update_code_and_architectures(self: LambdaFunction, updated_spec: dict[str, Any]) -> dict[str, Any]:
        if updated_spec.get("Architectures"):
            self.architectures = updated_spec["Architectures"]
        return update_code(self, updated_spec)

    LambdaFunction.__init__ = init_and_keep
    LambdaFunction.get_configuration = get_with_kept
    LambdaFunction.update_configuration = update_and_keep
    LambdaFunction.update_function_code = update_code_and_architectures
