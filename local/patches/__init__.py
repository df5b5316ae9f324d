"""Closes the gaps between MiniStack and AWS that our design meets; one module per gap."""

from typing import Final

from local.patches import (
    bucket_properties,
    kms_without_a_key_id,
    lambda_error_class,
    lambda_log_wait,
    lambda_runtime_is_bare,
    loopback_counts_as_tls,
    state_machine_timeout,
    tasks_run_as_the_state_machine,
)

PATCHES: Final = (
    loopback_counts_as_tls,
    lambda_error_class,
    lambda_log_wait,
    lambda_runtime_is_bare,
    tasks_run_as_the_state_machine,
    state_machine_timeout,
    bucket_properties,
    kms_without_a_key_id,
)


def apply() -> None:
    """Apply every patch; each one fails loudly when what it patches has changed."""
    for patch in PATCHES:
        patch.apply()
