"""Tags of jobs, models, throughputs and deployments."""

from typing import Any

from local.bedrock.caller import Caller
from local.bedrock.simulator import Members, Simulator, require_tag_count


def tag(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    arn = request["resourceARN"]
    found = simulator.tagged(arn)
    new = {entry["key"]: entry["value"] for entry in request["tags"]}
    caller.authorize("TagResource", [arn], request_tags=new, resource_tags=found.tags)
    with simulator.lock:
        require_tag_count(found.tags | new, arn=arn)
        found.tags = found.tags | new
    return {}


def untag(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    arn = request["resourceARN"]
    found = simulator.tagged(arn)
    gone = set(request["tagKeys"])
    caller.authorize(
        "UntagResource",
        [arn],
        request_tags=dict.fromkeys(gone, ""),
        resource_tags=found.tags,
    )
    with simulator.lock:
        found.tags = {key: value for key, value in found.tags.items() if key not in gone}
    return {}


def listed(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    arn = request["resourceARN"]
    found = simulator.tagged(arn)
    caller.authorize("ListTagsForResource", [arn], resource_tags=found.tags)
    return {"tags": [{"key": key, "value": value} for key, value in found.tags.items()]}
