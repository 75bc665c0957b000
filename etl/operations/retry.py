"""How often a failed run is tried again, and after which waits."""

from dataclasses import dataclass

# SQS delays a message no longer; Terraform refuses a policy whose longest wait is.
LONGEST_DELAY_SECONDS = 900


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` retries; the first waits `base_seconds`, each further one `factor` times as long."""

    attempts: int
    base_seconds: int
    factor: float
    jitter_percent: int

    def delay_seconds(self, retry: int, chance: float) -> int:
        """The wait before the `retry`-th retry, counted from 1.

        `chance`, from 0 to 1, makes it longer by up to the jitter, so that runs which failed together do not
        come back together.
        """
        nominal = self.base_seconds * self.factor ** (retry - 1)
        return min(round(nominal * (1 + chance * self.jitter_percent / 100)), LONGEST_DELAY_SECONDS)
