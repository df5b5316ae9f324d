"""What the mail of each alarm says: what happened, and where the reason is."""

from typing import Final

ALARMS: Final = {
    "WorkflowFailed": "A run failed: its own message, or its execution, says why",
    "WorkflowTimedOut": "A run took longer than it may; its job may still be running",
    "WorkflowAborted": "A run was aborted by hand; its job may still be running",
    "DeadLettersWaiting": (
        "An upload started no run, or the lease keeper was not called: the message in the queue "
        "has the reason in its attribute ERROR_MESSAGE (docs/runbook.md)"
    ),
    "LeasesNotKept": (
        "keep_leases failed, so an endpoint may be billed beyond its lease: the last error in its "
        "log says why and what to do"
    ),
    "DefaultGroupNotClosed": "The default security group of the network may be open",
}
