"""Flaws of what holds data: survival, retention, encryption, openness."""

from tests.review.broken import Copy
from tests.review.mutants._mutant import collected, flaw


@flaw("S601", "data bucket: deleted with its stack")
def bucket_deleted(copy: Copy) -> None:
    copy.resource("data/Training")["DeletionPolicy"] = "Delete"


@flaw("S601", "data bucket: nothing said about deletion")
def bucket_policy_missing(copy: Copy) -> None:
    del copy.resource("data/Output")["DeletionPolicy"]


@flaw("S601", "data bucket: deleted when replaced")
def bucket_replaced(copy: Copy) -> None:
    copy.resource("data/Validation")["UpdateReplacePolicy"] = "Delete"


@flaw("S601", "data key: deleted with its stack")
def key_deleted(copy: Copy) -> None:
    copy.resource("data/DataKey")["DeletionPolicy"] = "Delete"


@flaw("S601", "operations key: deleted with its stack")
def operations_key_deleted(copy: Copy) -> None:
    copy.resource("pipeline/OperationsKey")["DeletionPolicy"] = "Delete"


@flaw("S601", "runs table: deleted with its stack")
def table_deleted(copy: Copy) -> None:
    copy.resource("pipeline/Runs")["DeletionPolicy"] = "Delete"


@flaw("S601", "training bucket: its policy is deleted with its stack")
def policy_deleted(copy: Copy) -> None:
    copy.resource("data/Training/Policy")["DeletionPolicy"] = "Delete"


@flaw("S601", "training bucket: left behind by a first deployment that fails")
def left_behind(copy: Copy) -> None:
    copy.resource("data/Training")["DeletionPolicy"] = "Retain"


@flaw("S602", "runs table: protected where a first deployment could not be undone")
def table_protected(copy: Copy) -> None:
    copy.properties("pipeline/Runs")["DeletionProtectionEnabled"] = True


@flaw("S602", "runs table: no deletion protection", "bounded")
def table_unprotected(copy: Copy) -> None:
    del copy.properties("pipeline/Runs")["DeletionProtectionEnabled"]


@flaw("S602", "runs table: no point-in-time recovery")
def table_unrecoverable(copy: Copy) -> None:
    specification = copy.properties("pipeline/Runs")["PointInTimeRecoverySpecification"]
    specification["PointInTimeRecoveryEnabled"] = False


@flaw("S602", "runs table: items expire")
def items_expire(copy: Copy) -> None:
    copy.properties("pipeline/Runs")["TimeToLiveSpecification"] = {
        "AttributeName": "expires",
        "Enabled": True,
    }


@flaw("S602", "runs table: no index for a customization's runs")
def no_index(copy: Copy) -> None:
    del copy.properties("pipeline/Runs")["GlobalSecondaryIndexes"]


@flaw("S602", "runs table: another key")
def other_table_key(copy: Copy) -> None:
    copy.properties("pipeline/Runs")["KeySchema"][0]["AttributeName"] = "run"


@flaw("S603", "training bucket: no versions")
def no_versions(copy: Copy) -> None:
    del copy.properties("data/Training")["VersioningConfiguration"]


@flaw("S603", "output bucket: versions suspended")
def versions_suspended(copy: Copy) -> None:
    copy.properties("data/Output")["VersioningConfiguration"]["Status"] = "Suspended"


@flaw("S604", "training bucket: datasets expire")
def datasets_expire(copy: Copy) -> None:
    copy.properties("data/Training")["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] = 1


@flaw("S604", "training bucket: old versions are deleted in one folder only")
def old_versions_of_a_folder(copy: Copy) -> None:
    rules = copy.properties("data/Training")["LifecycleConfiguration"]["Rules"]
    rules[0]["Prefix"] = "_checked/"


@flaw("S604", "output bucket: everything expires, not only work")
def output_expires(copy: Copy) -> None:
    rules = copy.properties("data/Output")["LifecycleConfiguration"]["Rules"]
    del next(rule for rule in rules if "Prefix" in rule)["Prefix"]


@flaw("S604", "output bucket: work expires tomorrow")
def work_expires(copy: Copy) -> None:
    rules = copy.properties("data/Output")["LifecycleConfiguration"]["Rules"]
    next(rule for rule in rules if "Prefix" in rule)["ExpirationInDays"] = 1


@flaw("S604", "training bucket: old versions go at once")
def old_versions_go(copy: Copy) -> None:
    rule = copy.properties("data/Training")["LifecycleConfiguration"]["Rules"][0]
    rule["NoncurrentVersionExpiration"]["NoncurrentDays"] = 1


@flaw("S604", "validation bucket: parts of uploads stay for ever")
def parts_stay(copy: Copy) -> None:
    rule = copy.properties("data/Validation")["LifecycleConfiguration"]["Rules"][0]
    del rule["AbortIncompleteMultipartUpload"]


@flaw("S604", "access logs: kept for ever")
def access_logs_stay(copy: Copy) -> None:
    rule = copy.properties("data/AccessLogs")["LifecycleConfiguration"]["Rules"][0]
    del rule["ExpirationInDays"]


@flaw("S604", "a lifecycle rule that is switched off")
def lifecycle_off(copy: Copy) -> None:
    rule = copy.properties("data/Training")["LifecycleConfiguration"]["Rules"][0]
    rule["Status"] = "Disabled"


@flaw("S605", "function logs: kept for ever")
def logs_for_ever(copy: Copy) -> None:
    del copy.properties("pipeline/Functions/Admit/Logs")["RetentionInDays"]


@flaw("S605", "workflow logs: kept one day")
def logs_one_day(copy: Copy) -> None:
    copy.properties("pipeline/WorkflowLogs")["RetentionInDays"] = 1


@flaw("S605", "workflow logs: in the account's policy")
def logs_elsewhere(copy: Copy) -> None:
    del copy.properties("pipeline/WorkflowLogs")["LogGroupName"]


@flaw("S606", "dead letters: gone after an hour")
def dead_letters_go(copy: Copy) -> None:
    copy.properties("pipeline/Messages/DeadLetters")["MessageRetentionPeriod"] = 3600


@flaw("S607", "data key: no rotation")
def no_rotation(copy: Copy) -> None:
    del copy.properties("data/DataKey")["EnableKeyRotation"]


@flaw("S607", "operations key: switched off")
def key_off(copy: Copy) -> None:
    copy.properties("pipeline/OperationsKey")["Enabled"] = False


@flaw("S607", "data key: gone a week after its deletion")
def short_window(copy: Copy) -> None:
    copy.properties("data/DataKey")["PendingWindowInDays"] = 7


@flaw("S608", "training bucket: public policies allowed")
def public_policies(copy: Copy) -> None:
    copy.properties("data/Training")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False


@flaw("S608", "output bucket: no public access block")
def no_access_block(copy: Copy) -> None:
    del copy.properties("data/Output")["PublicAccessBlockConfiguration"]


@flaw("S608", "training bucket: objects belong to their writers")
def object_writers(copy: Copy) -> None:
    rules = copy.properties("data/Training")["OwnershipControls"]["Rules"]
    rules[0]["ObjectOwnership"] = "ObjectWriter"


@flaw("A107", "training bucket: a copy goes to another account")
def replication(copy: Copy) -> None:
    copy.properties("data/Training")["ReplicationConfiguration"] = {
        "Role": "arn:aws:iam::999999999999:role/copy",
        "Rules": [
            {
                "Status": "Enabled",
                "Destination": {"Bucket": "arn:aws:s3:::somewhere-else"},
            }
        ],
    }


@flaw("S609", "training bucket: AWS's key instead of ours")
def other_key(copy: Copy) -> None:
    rule = copy.properties("data/Training")["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ][0]
    del rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]


@flaw("S609", "output bucket: not encrypted with a key")
def no_key(copy: Copy) -> None:
    copy.properties("data/Output")["BucketEncryption"] = {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    }


@flaw("S609", "training bucket: no bucket key")
def no_bucket_key(copy: Copy) -> None:
    rule = copy.properties("data/Training")["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ][0]
    rule["BucketKeyEnabled"] = False


@flaw("S602", "runs table: AWS's key")
def table_key(copy: Copy) -> None:
    del copy.properties("pipeline/Runs")["SSESpecification"]


@flaw("S609", "topic: not encrypted")
def topic_plain(copy: Copy) -> None:
    del copy.properties("pipeline/Messages/Topic")["KmsMasterKeyId"]


@flaw("S606", "dead letters: AWS's key")
def queue_plain(copy: Copy) -> None:
    copy.properties("pipeline/Messages/DeadLetters")["KmsMasterKeyId"] = "alias/aws/sqs"


@flaw("S605", "function logs: no key")
def logs_plain(copy: Copy) -> None:
    del copy.properties("pipeline/Functions/Serve/Logs")["KmsKeyId"]


@flaw("S610", "training bucket: accesses are not logged")
def no_access_log(copy: Copy) -> None:
    del copy.properties("data/Training")["LoggingConfiguration"]


@flaw("S610", "access logs: their own accesses are logged in somebody's bucket")
def logs_logged(copy: Copy) -> None:
    copy.properties("data/AccessLogs")["LoggingConfiguration"] = {"DestinationBucketName": "x"}


@flaw("S612", "a secret in a function's environment")
def secret(copy: Copy) -> None:
    variables = copy.properties("pipeline/Functions/Admit/Function")["Environment"]["Variables"]
    variables["API_TOKEN"] = "x"


MUTANTS = collected(globals())
