"""Flaws of form: names, types, references; CloudFormation refuses some and ignores others."""

from tests.review.broken import Copy, Raw
from tests.review.mutants._mutant import collected, flaw

FUNCTION = "pipeline/Functions/Serve/Function"


@flaw("S603", "a misspelled property")
def misspelled_property(copy: Copy) -> None:
    properties = copy.properties("data/Training")
    properties["VersionConfiguration"] = properties.pop("VersioningConfiguration")


@flaw("S608", "a misspelled property deep inside")
def misspelled_deep(copy: Copy) -> None:
    block = copy.properties("data/Training")["PublicAccessBlockConfiguration"]
    block["BlockPublicACLs"] = block.pop("BlockPublicAcls")


@flaw("A108", "a misspelled attribute")
def misspelled_attribute(copy: Copy) -> None:
    resource = copy.resource("data/Training")
    resource["DeletionPolcy"] = resource.pop("DeletionPolicy")


@flaw("A108", "a format that CloudFormation does not have")
def another_format(copy: Copy) -> None:
    copy.stack("pipeline")["AWSTemplateFormatVersion"] = "2099-01-01"


@flaw("W505", "a text where a number belongs")
def wrong_type(copy: Copy) -> None:
    copy.properties("pipeline/Functions/Admit/Function")["MemorySize"] = "much"


@flaw("S602", "a value that is none of the allowed")
def wrong_value(copy: Copy) -> None:
    copy.properties("pipeline/Runs")["BillingMode"] = "PAY_PER_QUERY"


@flaw("W506", "a required property is missing")
def missing_property(copy: Copy) -> None:
    del copy.properties("pipeline/Functions/Admit/Function")["Code"]


@flaw("S610", "a list where an object belongs")
def list_for_object(copy: Copy) -> None:
    properties = copy.properties("data/Output")
    properties["LoggingConfiguration"] = [properties["LoggingConfiguration"]]


@flaw("S601", "a deletion policy that does not exist")
def unknown_deletion_policy(copy: Copy) -> None:
    copy.resource("data/Training")["DeletionPolicy"] = "Keep"


@flaw("A102", "a reference to nothing")
def dangling_reference(copy: Copy) -> None:
    copy.properties("pipeline/Messages/Topic")["DisplayName"] = {"Ref": "Nothing"}


@flaw("A102", "an import that nobody exports")
def dangling_import(copy: Copy) -> None:
    copy.properties("pipeline/Messages/Topic")["DisplayName"] = {"Fn::ImportValue": "nothing"}


@flaw("A102", "a dependency on nothing")
def dangling_dependency(copy: Copy) -> None:
    copy.resource("pipeline/Workflow")["DependsOn"] = ["Nothing"]


@flaw("A101", "an attribute that the type does not have")
def unknown_attribute(copy: Copy) -> None:
    name = copy.logical_id("data/Training")
    copy.properties("data/Output")["Tags"] = [
        {"Key": "x", "Value": {"Fn::GetAtt": [name, "Colour"]}}
    ]


@flaw("A106", "a type that nobody knows")
def unknown_type(copy: Copy) -> None:
    copy.resource("pipeline/Messages/Topic")["Type"] = "AWS::SNS::Topics"


@flaw("A104", "no construct path")
def no_path(copy: Copy) -> None:
    del copy.resource("pipeline/Messages/Topic")["Metadata"]


@flaw("A104", "two resources at one construct path")
def shared_path(copy: Copy) -> None:
    other = copy.resource("data/Output")["Metadata"]["aws:cdk:path"]
    copy.resource("data/Training")["Metadata"]["aws:cdk:path"] = other


def _code(copy: Copy) -> Raw:
    """The mapping that names the code of the pipeline's functions."""
    (mapping,) = copy.stack("pipeline")["Mappings"].values()
    found: Raw = mapping
    return found


@flaw("W506", "functions: their mapping names an object that is not uploaded")
def mapped_elsewhere(copy: Copy) -> None:
    _code(copy)["AllFunctions"]["S3Key"] = f"{'0' * 64}.zip"


@flaw("W506", "functions: one of them gets the code that a second mapping names")
def mapped_differently(copy: Copy) -> None:
    key = copy.properties("pipeline/Functions/Runtime/Wheels")["Content"]["S3Key"]
    copy.stack("pipeline")["Mappings"]["More"] = {"AllFunctions": {"S3Key": key}}
    found = {"Fn::FindInMap": ["More", "AllFunctions", "S3Key"]}
    copy.properties(FUNCTION)["Code"]["S3Key"] = found


@flaw("A108", "a second mapping")
def second_mapping(copy: Copy) -> None:
    mappings = copy.stack("pipeline")["Mappings"]
    mappings["More"] = dict(_code(copy))


@flaw("A108", "a mapping that says more than which code functions have")
def mapping_of_more(copy: Copy) -> None:
    _code(copy)["us-east-1"] = {"S3Key": "x.zip"}


@flaw("A101", "function: its code is looked up by the account")
def code_by_account(copy: Copy) -> None:
    (name,) = copy.stack("pipeline")["Mappings"]
    by_account = {"Fn::FindInMap": [name, {"Ref": "AWS::AccountId"}, "S3Key"]}
    copy.properties(FUNCTION)["Code"]["S3Key"] = by_account


MUTANTS = collected(globals())
