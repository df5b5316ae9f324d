"""How long things take in Bedrock, and how much faster they go here."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

HOUR: Final = 3600.0
MINUTE: Final = 60.0

# Samples of AWS: a Nova job takes about an hour; 60 images with 8,000 steps some five.
JOB: Final = 1 * HOUR
JOB_PER_RECORD: Final = 1.0
# Samples of AWS poll for 20 to 30 minutes.
THROUGHPUT_CREATE: Final = 20 * MINUTE
THROUGHPUT_UPDATE: Final = 10 * MINUTE
DEPLOYMENT: Final = 10 * MINUTE

SHORTEST: Final = 0.3
"""Real seconds: a state that is over sooner could never be seen."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`factor` simulated seconds pass per real second; timestamps stay those of the wall clock.

    A service that dated things in the future would be wrong for every caller that compares
    with its own clock, so only durations are simulated.
    """

    factor: float

    def real(self, simulated: float) -> float:
        """Real seconds that so many simulated ones take here."""
        return max(simulated / self.factor, SHORTEST)

    def after(self, simulated: float) -> datetime:
        """The moment at which something that starts now and takes so long is over."""
        return now() + timedelta(seconds=self.real(simulated))


def now() -> datetime:
    return datetime.now(UTC)
