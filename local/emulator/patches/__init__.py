"""Closes the gaps between MiniStack and AWS that our design meets; one module per gap."""

from typing import Final

from local.emulator.patches import (
    bedrock_tasks,
    bucket_properties,
    denials_name_the_resource,
    kms_without_a_key_id,
    lambda_error_class,
    lambda_log_wait,
    lambda_runtime_is_bare,
    lambda_slots,
    loopback_counts_as_tls,
    messages_and_rows_need_their_key,
    network_resources,
    object_events_carry_the_version,
    objects_need_their_key,
    principal_arn_is_the_role,
    state_machine_timeout,
    table_properties,
    targets_need_their_role,
    tasks_run_as_the_state_machine,
    topic_properties,
)

PATCHES: Final = (
    loopback_counts_as_tls,
    lambda_error_class,
    lambda_log_wait,
    lambda_runtime_is_bare,
    lambda_slots,
    tasks_run_as_the_state_machine,
    bedrock_tasks,
    state_machine_timeout,
    targets_need_their_role,
    object_events_carry_the_version,
    bucket_properties,
    table_properties,
    topic_properties,
    kms_without_a_key_id,
    objects_need_their_key,
    messages_and_rows_need_their_key,
    network_resources,
    principal_arn_is_the_role,
    denials_name_the_resource,
)


def apply() -> None:
    """Apply every patch; each one fails loudly when what it patches has changed."""
    for patch in PATCHES:
        patch.apply()
