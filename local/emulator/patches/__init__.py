"""Closes the gaps between MiniStack and AWS that our design meets; one function per gap."""

from typing import Final

from local.emulator.patches import (
    authorization,
    cloudformation,
    encryption,
    events,
    executions,
    functions,
    objects,
    tasks,
)

PATCHES: Final = (
    authorization.loopback_counts_as_tls,
    functions.errors_have_their_class,
    functions.runtime_is_bare,
    functions.packages_are_unpacked_once,
    functions.sessions_are_secret,
    functions.addresses_know_their_callers,
    executions.lambda_tasks_queue,
    tasks.tasks_run_as_the_state_machine,
    executions.bedrock_tasks,
    executions.executions_time_out,
    executions.states_are_limited,
    executions.executions_are_logged,
    executions.task_tokens_end_with_their_task,
    events.targets_need_their_role,
    events.object_events_carry_the_version,
    cloudformation.bucket_properties,
    cloudformation.table_properties,
    cloudformation.topic_properties,
    cloudformation.log_group_names,
    cloudformation.failed_deletions,
    encryption.aws_managed_key_by_default,
    encryption.objects_need_their_key,
    encryption.topics_and_tables_need_their_key,
    objects.versions_have_ranges,
    cloudformation.network_resources,
    cloudformation.chat_channels,
    authorization.services_are_known_by_their_names,
    authorization.principal_arn_is_the_role,
    authorization.parameters_below_a_path_are_the_path,
    authorization.items_have_leading_keys,
    authorization.writes_say_whether_they_replace,
    authorization.sent_events_have_their_source,
    authorization.denials_name_the_resource,
    authorization.roles_are_simulated_with_their_context,
)


def apply() -> None:
    """Apply every patch; each one fails loudly when what it patches has changed."""
    for patch in PATCHES:
        patch()
