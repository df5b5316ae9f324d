"""What the IAM engine answers; `python -m tests.review.iam.answers` writes it into answers.txt.

That these are IAM's answers is tested against an independent simulator (test_oracle.py); here every
combination that the engine tells apart is asked, also those that no random policy hits.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.contracts import Condition, Grant
from bedrock_tuning.review.assembly.template import Assembly, resolve
from bedrock_tuning.review.iam.access import (
    EffectivePermissions,
    ExternalPolicy,
    build,
    owner_arn,
    principal_of,
)
from bedrock_tuning.review.iam.conditions import (
    OPERATORS,
    QUANTIFIERS,
    filled,
    holds,
    implies,
)
from bedrock_tuning.review.iam.containment import beyond, short_of, trust_beyond
from bedrock_tuning.review.iam.keys import default_encryption, key_arn
from bedrock_tuning.review.iam.policy import Statement, parse_policy
from bedrock_tuning.review.iam.simulator import EvalRequest, ExclusionError, Policies, decide
from bedrock_tuning.review.iam.wildcards import arn_contains, arn_matches, contains, matches, meets
from bedrock_tuning.review.iam.wording import by_level, condition_in_words, conditions_in_words
from tests.review.iam.probes import (
    NEEDS,
    cannot_use,
    concrete,
    context_for,
    lacking,
    on_behalf_of,
    requests_of,
    sample,
)

ANSWERS: Final = Path(__file__).with_name("answers.txt")
A, B = "111122223333", "999999999999"
ROOT: Final = f"arn:aws:iam::{A}:root"
ROLE, USER, OTHER = (
    f"arn:aws:iam::{each}" for each in (f"{A}:role/r", f"{A}:user/u", f"{B}:role/r")
)
SERVICE: Final = "events.amazonaws.com"


def _c(operator: str, *values: str, key: str = "k") -> Condition:
    return Condition(operator=operator, key=key, values=values)


def _patterns() -> Iterator[str]:
    patterns = ("", "*", "?", "a", "a*", "*a", "a?", "?*", "a*b", "a?b", "ab*", "*b", "**", "a*a*b")
    for one in patterns:
        related = {
            "contains": [each for each in patterns if contains(one, each)],
            "meets": [each for each in patterns if meets(one, each)],
            "matches": [
                each for each in ("", "a", "b", "ab", "aab", "a\nb", "aba") if matches(one, each)
            ],
        }
        yield f"{one!r} {related}"
    arns = (
        *(
            "arn:aws:s3:::b",
            "arn:aws:s3:::*",
            "arn:aws:s3:*",
            "arn:*:s3:::b",
            "*",
            "arn:aws:s3:::b:c",
        ),
        *("arn:aws:sqs:us-east-1:1:q", "arn:aws:*:*:*:*", "arn:aws:sqs:us-east-?:1:q*"),
    )
    for one in arns:
        inside = [each for each in arns if arn_contains(one, each)]
        matching = [each for each in arns if arn_matches(one, each)]
        yield f"{one} contains {inside}, matches {matching}"


_OF_KIND: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "String": ("pets-*", ("pets-*", "Pets-*", "pets-1", "dogs")),
    "Arn": ("arn:aws:s3:::p*", ("arn:aws:s3:::p*", "arn:aws:s3:::pets", "arn:aws:s3:::dogs", "x")),
    "Numeric": ("5", ("4", "5", "5.0", "6", "x")),
    "Date": (
        "2026-01-02T00:00:00Z",
        ("2026-01-01T23:59:59Z", "2026-01-02T00:00:00", "1767312000", "2026-01-02T00:00:01Z", "x"),
    ),
    "Bool": ("true", ("true", "True", "false")),
    "Binary": ("cGV0cw==", ("cGV0cw==", "CGV0CW==")),
    "Ip": ("10.0.0.1/8", ("10.1.2.3", "11.0.0.0", "x", "::1")),
    "NotIp": ("10.0.0.1/8", ("10.1.2.3", "11.0.0.0", "x")),
}


def _conditions() -> Iterator[str]:
    for name in OPERATORS:
        pattern, values = next(each for kind, each in _OF_KIND.items() if name.startswith(kind))
        for quantifier, exists in itertools.product(QUANTIFIERS, ("", "IfExists")):
            condition = _c(f"{quantifier}:{name}{exists}".removeprefix(":"), pattern, key="K")
            contexts: list[dict[str, Any]] = [{}, *({"k": each} for each in values)]
            contexts += [{"K": [*values[:2]]}, {"k": []}]
            held = "".join("01"[holds([condition], each)] for each in contexts)
            yield f"{condition_in_words(condition)}: {held}, for example {sample(condition)[1]}"
    for values in (("true",), ("TRUE",), ("false",)):
        null = _c("Null", *values)
        held = [holds([null], each) for each in ({}, {"K": "x"})]
        yield f"{condition_in_words(null)}: {held}, for example {sample(null)}"
    two = [_c("StringEquals", A, "b", key="x"), _c("Unheard", "c")]
    yield from (conditions_in_words(each) for each in ((), two[:1], two))
    context = {"aws:username": "ron", "list": ["a"]}
    for text in (
        *("a", "${aws:username}", "x/${AWS:UserName}/y", "${none}", "${none, 'd'}", "${none,d}"),
        *("${*}${?}${$}", "${ aws:username }", "${list}", "${list, 'e'}", "$aws", "${}"),
    ):
        yield f"{text} is {filled(text, context)!r}"


def _implications() -> Iterator[str]:
    known = [
        *(
            _c("StringEquals", *each)
            for each in (("a",), ("a", "b"), ("a/x",), ("true",), ("${v}",))
        ),
        *(_c("StringLike", *each) for each in (("a",), ("a/*",), ("*",), ("a/x*",), ("${v}",))),
        *(_c("StringNotEquals", *each) for each in (("a",), ("a", "b"))),
        *(_c("StringNotLike", *each) for each in (("a",), ("a/*",))),
        *(_c(f"{name}IfExists", "a") for name in ("StringEquals", "StringLike", "StringNotEquals")),
        *(_c(f"{name}:StringEquals", "a") for name in ("ForAllValues", "ForAnyValue")),
        *(_c("StringEqualsIgnoreCase", each) for each in ("a", "A")),
        *(_c("ArnLike", each) for each in ("arn:aws:s3:::b", "arn:aws:s3:::*", "a")),
        *(_c("ArnEquals", each) for each in ("arn:aws:s3:::b", "arn:aws:s3:::*")),
        *(_c("ArnNotLike", "arn:aws:s3:::*"), _c("StringEquals", "arn:aws:s3:::b")),
        *(_c("Bool", each) for each in ("true", "True", "false")),
        *(_c("Null", each) for each in ("true", "false")),
        *(_c("NumericLessThan", each) for each in ("1", "1.0", "2")),
        *(_c("Unheard", "a"), _c("StringEquals", "a", key="K"), _c("StringEquals", "a", key="j")),
    ]
    for strong in known:
        weak = [
            f"{each.operator} {each.key} {each.values}"
            for each in known
            if implies([strong], [each])
        ]
        yield f"{strong.operator} {strong.key} {strong.values} implies {', '.join(weak)}"
    one, other = known[0], known[-1]
    asked = (((), ()), ((one,), ()), ((), (one,)), ((one, other), (one,)), ((one,), (one, other)))
    yield f"{[implies(strong, weak) for strong, weak in asked]}"


def _s(effect: str = "Allow", **more: Any) -> Statement:
    raw = {"Effect": effect, "Action": "*", "Resource": "*", **more}
    if more.get("Action", "*") is None:
        del raw["Action"]
    (found,) = parse_policy({"Version": "2012-10-17", "Statement": raw}, where="test").statements
    return found


_IDENTITY: Final[Mapping[str, Sequence[Statement]]] = {
    "silent": (),
    "allows": [_s()],
    "denies": [_s(), _s("Deny")],
}
_RESOURCE: Final[Mapping[str, Sequence[Statement] | None]] = {
    "none": None,
    "silent": [_s(Principal={"AWS": B + "1", "Service": "x.amazonaws.com"})],
    "allows": [_s(Principal={"AWS": [ROLE, USER, OTHER], "Service": SERVICE})],
    "allows accounts": [_s(Principal={"AWS": [ROOT, B]})],
    "allows everybody": [_s(Principal="*")],
    "denies": [_s(Principal="*"), _s("Deny", Principal={"AWS": "*"})],
}
_ASKED: Final = (
    *(("s3:GetObject", "arn:aws:s3:::b/k", A), ("s3:GetObject", "arn:aws:s3:::b/k", "")),
    *(("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{B}:q", ""), ("kms:Decrypt", "*", A)),
    *(("sts:AssumeRoleWithX", ROLE, ""), ("iam:CreateUser", "*", "")),
)


def _decisions() -> Iterator[str]:
    for who, (action, resource, account) in itertools.product((ROLE, USER, OTHER, SERVICE), _ASKED):
        request = EvalRequest(principal=who, action=action, resource=resource, account=account)
        yield f"{who} {action} {resource} {account}"
        for (at, by), (there, own) in itertools.product(_IDENTITY.items(), _RESOURCE.items()):
            answer = decide(request, Policies(identity=by, resource=own))
            yield f"  {at}, {there}: {answer[0]}"
    request = EvalRequest(
        principal=ROLE, action="s3:GetObject", resource="arn:aws:s3:::b/K", account=A
    )
    for more in (
        *({"Action": "S3:get*"}, {"Action": "s3:Put*"}, {"Action": ["s3:Put*", "s3:GetObject"]}),
        *({"Action": None, "NotAction": "s3:get*"}, {"Action": None, "NotAction": "s3:Put*"}),
        *(
            {"Resource": "arn:aws:s3:::b/k"},
            {"Resource": "arn:aws:s3:::b/?"},
            {"NotResource": "*K"},
        ),
        *({"NotResource": "x"}, {"Resource": "arn:aws:s3:::b/${k}"}, {"Resource": "arn:*/${j}"}),
        *({"Condition": {"StringEquals": {"k": ["K", "L"]}}}, {"Condition": {"Bool": {"K": True}}}),
    ):
        raw = {
            "Effect": "Allow",
            "Action": "*",
            **({} if "NotResource" in more else {"Resource": "*"}),
        }
        found = parse_policy(
            {"Version": "2012-10-17", "Statement": {**raw, **more}}, where="x"
        ).statements
        if more.get("Action", "") is None:
            found = [_s(**{**more})]
        answer = decide(request, Policies(identity=found))
        asked = EvalRequest(
            **{**{f: getattr(request, f) for f in request.__slots__}, "context": {"k": "K"}}
        )
        yield f"{more}: {answer}, {decide(asked, Policies(identity=found))}"
    try:
        decide(request, Policies(resource=[_s(NotPrincipal={"AWS": ROLE})]))
    except ExclusionError as error:
        yield f"{error}"


def _documents() -> Iterator[str]:
    good: dict[str, Any] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    spoken = {**good, "Principal": {"AWS": "*"}}
    changes: tuple[dict[str, Any], ...] = (
        *({"Sid": "x"}, {"Effect": "Deny"}, {"Effect": "allow"}, {"Effect": None}, {"Extra": 1}),
        *(
            {"Action": []},
            {"Action": ["a", "b"]},
            {"Action": ""},
            {"Action": [1]},
            {"NotAction": "x"},
        ),
        *({"Resource": []}, {"NotResource": "x"}, {"Resource": {"a": 1}}, {"Principal": "*"}),
        *({"Principal": "x"}, {"Principal": {"Service": ["a", "b"]}}, {"Principal": {"Who": "x"}}),
        *({"NotPrincipal": {"AWS": "x"}}, {"Principal": None}, {"Principal": ["*"]}),
        *(
            {"Condition": {}},
            {"Condition": []},
            {"Condition": {"Bool": {}}},
            {"Condition": {"Bool": 1}},
        ),
        *(
            {"Condition": {"Bool": {"a": [True, 1.5, "x"]}, "Null": {"b": False}}},
            {"Condition": None},
        ),
    )
    documents: list[Any] = [
        *(
            None,
            [],
            "x",
            {},
            {"Version": "2012-10-17"},
            {"Version": "2008-10-17", "Statement": good},
        ),
        *(
            {"Version": "2012-10-17", "Statement": each, "Id": "x", "More": 1}
            for each in ([], ["x", good])
        ),
        *({"Version": "2012-10-17", "Statement": {**good, **change}} for change in changes),
    ]
    for document in documents:
        yield json.dumps(document)
        yield from _parsed(document, "identity")
    for kind in ("resource", "trust"):
        for raw in (
            good,
            spoken,
            {**spoken, "NotPrincipal": {}},
            {k: spoken[k] for k in spoken if k != "Resource"},
        ):
            yield f"{kind}: {json.dumps(raw)}"
            yield from _parsed({"Version": "2012-10-17", "Statement": [raw]}, kind)
    no_action = {"Effect": "Allow", "Resource": "*"}
    yield from _parsed({"Version": "2012-10-17", "Statement": no_action}, "identity")


def _parsed(document: Any, kind: Any) -> Iterator[str]:
    found = parse_policy(document, where="P", kind=kind)
    yield from (f"  problem: {each}" for each in found.problems)
    yield from (f"  {_shown(each)}" for each in found.statements)


def _shown(statement: Statement) -> str:
    values = {name: getattr(statement, name) for name in statement.__slots__}
    told = {name: value for name, value in values.items() if value not in ((), None, "")}
    conditions = told.pop("conditions", ())
    words = [f"{c.operator} {c.key} {c.values}" for c in conditions]
    return f"{statement.label} | {told} {words}"


def _containment() -> Iterator[str]:
    here = {"StringEquals": {"aws:ResourceAccount": A}}
    promised = [
        _s(
            Action=["s3:GetObject", "s3:Put*"],
            Resource=["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"],
            Sid="read",
        ),
        _s(Action="sqs:SendMessage", Condition=here, Principal={"Service": SERVICE}, Sid="send"),
        _s(Action="kms:*", Principal={"AWS": [ROOT, ROLE]}, Sid="keys"),
    ]
    given = [
        *(
            _s(Action=each, Resource="arn:aws:s3:::a/x")
            for each in ("S3:getobject", "s3:putX", "s3:*")
        ),
        _s(
            Action=["s3:GetObject", "s3:List", "sns:X"],
            Resource=["arn:aws:s3:::a", "*", "arn:aws:s3:::b/"],
        ),
        _s(Action="s3:GetObject", Resource="arn:aws:s3:::b/x", Principal="*"),
        *(
            _s(Action="sqs:SendMessage", Principal={"Service": each})
            for each in (SERVICE, "x", [SERVICE, "y"])
        ),
        _s(Action="sqs:SendMessage", Principal={"Service": SERVICE}, Condition=here),
        _s(Action="kms:Decrypt", Principal={"AWS": ROLE}),
        _s(Action="kms:Decrypt", Principal={"AWS": [ROLE, USER], "Service": "x"}),
        _s(Action="kms:Decrypt", NotPrincipal={"AWS": ROLE}),
        _s(Action=None, NotAction="x", NotPrincipal={"AWS": ROLE}),
        _s(Action="kms:*", Principal="*", Sid="wide"),
        _s(Action="*", Resource="*", Condition={"Bool": {"x": True}, "Null": {"y": True}}),
    ]
    for statement in given:
        yield _shown(statement)
        yield from (f"  beyond: {each}" for each in beyond([statement], promised))
        yield from (f"  short: {each}" for each in short_of(promised, [statement]))
    yield from (f"nothing: {each}" for each in (*beyond(given, []), *short_of(promised, [])))
    # Trust policies have no resource.
    trust = [
        parse_policy(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": effect, "Action": action, "Principal": who},
            },
            where="trust",
            kind="trust",
        ).statements[0]
        for effect, action, who in (
            *(
                ("Allow", "sts:AssumeRole", {"Service": SERVICE}),
                ("Deny", "sts:AssumeRole", {"Service": SERVICE}),
            ),
            *(("Allow", "sts:*", {"Service": SERVICE}), ("Allow", "sts:AssumeRole", {"AWS": ROOT})),
        )
    ]
    for statement in trust:
        for service in (SERVICE, ""):
            yield f"{_shown(statement)} for {service!r}"
            yield from (f"  {each}" for each in trust_beyond([statement], service, ()))


def _document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


_HERE: Final = {
    "StringEquals": {"aws:PrincipalAccount": A},
    "ArnLike": {"aws:PrincipalArn": "*:*:*:*:*:*"},
}


def assembly() -> Assembly:
    """Every type of resource that has, gives or is a policy, with a fault here and there."""
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": SERVICE}}
    spoken = {**allow, "Principal": {"AWS": "*"}}
    policies = [
        {"PolicyName": "own", "PolicyDocument": _document(allow)},
        {"PolicyDocument": {}},
        "x",
    ]
    policies.append({"PolicyName": "last", "PolicyDocument": _document({**allow, "Sid": "last"})})
    guarded = {**spoken, "Action": "s3:PutObject", "Resource": "*", "Condition": _HERE}
    encrypted = [{"ServerSideEncryptionByDefault": {"KMSMasterKeyID": {"Ref": "Key"}}}]
    plain = {**spoken, "Resource": "*", "Principal": {"AWS": {"Fn::GetAtt": ["Plain", "Arn"]}}}
    through = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    key_policy = _document(
        {
            **spoken,
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
        {**plain, "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Condition": through},
    )
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Role": (
            "IAM::Role",
            {
                "RoleName": "r",
                "Path": "/a/",
                "AssumeRolePolicyDocument": _document(trust),
                "Policies": policies,
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/X", {"Ref": "Managed"}],
                "PermissionsBoundary": {"Ref": "Limit"},
            },
        ),
        "Plain": ("IAM::Role", {"RoleName": "p", "ManagedPolicyArns": [""]}),
        "Policy": (
            "IAM::Policy",
            {
                "PolicyName": "x",
                "Roles": [{"Ref": "Role"}, "nobody"],
                "PolicyDocument": _document({**allow, "Action": "s3:PutObject"}),
            },
        ),
        "Beside": (
            "IAM::RolePolicy",
            {
                "PolicyName": "y",
                "RoleName": {"Ref": "Plain"},
                "PolicyDocument": _document(
                    {**allow, "Action": "kms:GenerateDataKey", "Resource": "*"}
                ),
            },
        ),
        "Managed": (
            "IAM::ManagedPolicy",
            {
                "ManagedPolicyName": "m",
                "Roles": ["p"],
                "PolicyDocument": _document(
                    {**allow, "Action": "sqs:SendMessage", "Resource": "*"}
                ),
            },
        ),
        "Limit": (
            "IAM::ManagedPolicy",
            {"ManagedPolicyName": "l", "PolicyDocument": _document({**allow, "Resource": "*"})},
        ),
        "Key": ("KMS::Key", {"KeyPolicy": key_policy}),
        "Bucket": (
            "S3::Bucket",
            {
                "BucketName": "data",
                "BucketEncryption": {"ServerSideEncryptionConfiguration": encrypted},
            },
        ),
        "Bare": ("S3::Bucket", {"BucketName": "bare"}),
        "OfBucket": (
            "S3::BucketPolicy",
            {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": _document(spoken)},
        ),
        "OfNothing": (
            "S3::BucketPolicy",
            {"Bucket": "elsewhere", "PolicyDocument": _document(spoken)},
        ),
        "Topic": ("SNS::Topic", {"TopicName": "t", "KmsMasterKeyId": "alias/aws/sns"}),
        "Topics": (
            "SNS::TopicPolicy",
            {"Topics": [{"Ref": "Topic"}], "PolicyDocument": _document(spoken)},
        ),
        "Inline": (
            "SNS::TopicInlinePolicy",
            {"TopicArn": {"Ref": "Topic"}, "PolicyDocument": _document(spoken)},
        ),
        "Queue": (
            "SQS::Queue",
            {"QueueName": "q", "KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        ),
        "Queues": (
            "SQS::QueuePolicy",
            {"Queues": [{"Ref": "Queue"}], "PolicyDocument": _document(spoken)},
        ),
        "OfQueue": (
            "SQS::QueueInlinePolicy",
            {"Queue": {"Ref": "Queue"}, "PolicyDocument": _document(allow)},
        ),
        "Table": (
            "DynamoDB::Table",
            {
                "TableName": "t",
                "SSESpecification": {"KMSMasterKeyId": "k"},
                "ResourcePolicy": {"PolicyDocument": _document(guarded)},
            },
        ),
        "Global": ("DynamoDB::GlobalTable", {"TableName": "g"}),
        "Logs": (
            "Logs::LogGroup",
            {"LogGroupName": "l", "KmsKeyId": f"arn:aws:kms:us-east-1:{A}:key/x"},
        ),
        "Parameter": ("SSM::Parameter", {"Name": "p", "KeyId": "alias/mine"}),
        "Function": ("Lambda::Function", {"FunctionName": "f"}),
        "ByService": (
            "Lambda::Permission",
            {
                "FunctionName": {"Ref": "Function"},
                "Principal": SERVICE,
                "Action": "lambda:InvokeFunction",
                "SourceArn": "arn:aws:s3:::data",
                "SourceAccount": A,
            },
        ),
        "ByRole": (
            "Lambda::Permission",
            {
                "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
                "Principal": ROLE,
                "Action": "lambda:InvokeFunction",
            },
        ),
        "ByName": ("Lambda::Permission", {"FunctionName": "elsewhere"}),
        "Open": ("EC2::VPCEndpoint", {"ServiceName": "com.amazonaws.us-east-1.s3"}),
        "Closed": ("EC2::VPCEndpoint", {"ServiceName": "x", "PolicyDocument": _document(spoken)}),
    }
    raw = {
        name: {"Type": f"AWS::{kind}", "Properties": more}
        for name, (kind, more) in resources.items()
    }
    return resolve({"main": {"Resources": raw}})


_BESIDE: Final = "arn:aws:s3:::beside"


def permissions() -> EffectivePermissions:
    """All of it, and a bucket that exists already, of another account."""
    policy = [
        _s(
            Action="s3:GetObject",
            Principal={"AWS": "*"},
            Condition={"StringEquals": {"aws:ResourceAccount": B}},
        )
    ]
    return build(assembly(), {_BESIDE: ExternalPolicy(policy=policy, account=B)})


def _access() -> Iterator[str]:
    found = permissions()
    yield f"{build(assembly()).knows(_BESIDE)} {found.knows(_BESIDE)}"
    for arn, role in found.roles.items():
        yield f"{arn} {role.path} {role.is_policy} {principal_of(role.resource)}"
        yield f"  managed {role.managed}, boundary {role.boundary!r}"
        for name in ("trust", "policy"):
            yield from (f"  {name}: {_shown(each)}" for each in getattr(role, name) or ())
    for arn, statements in found.policies.items():
        yield f"{arn} owned by {[each.path for each in found.owners[arn]]}"
        yield from (f"  {_shown(each)}" for each in statements)
    for each in found.endpoints:
        yield f"{each.service}: {None if each.policy is None else [_shown(s) for s in each.policy]}"
    yield from (f"problem: {each}" for each in found.problems)
    arns = [each.arn for each in found.assembly.resources if each.arn]
    arns += [f"{arn}/key" for arn in arns if ":s3:::" in arn] + [
        _BESIDE,
        f"{_BESIDE}/key",
        "arn:aws:s3:::x/y",
    ]
    for arn in arns:
        guards = found.guarding("x:y", arn), found.guarding("sts:AssumeRole", arn)
        sizes = [each and len(each) for each in guards]
        yield f"{arn}: {owner_arn(arn)}, known {found.knows(arn)}, {sizes}"
    people = [*found.roles, SERVICE, OTHER]
    actions = (
        "s3:GetObject",
        "s3:PutObject",
        "sqs:SendMessage",
        "kms:Decrypt",
        "sts:AssumeRole",
        "kms:GenerateDataKey",
    )
    for who, action in itertools.product(people, actions):
        allowed = [arn for arn in arns if found.decide(who, action, arn)]
        denied = [
            arn for arn in arns if found.decide(who, action, arn, {"aws:ResourceAccount": "x"})
        ]
        yield f"{who} {action}: {allowed}{'' if allowed == denied else f', elsewhere {denied}'}"
    for resource in found.assembly.resources:
        key = key_arn(found.assembly, resource)
        if key or default_encryption(resource):
            yield f"{resource.arn} has the key {key!r}, {default_encryption(resource)}"
        for who, action in itertools.product(people[:3], NEEDS):
            missing = cannot_use(found, who, action, resource, {})
            if missing:
                yield f"  {who} {action} cannot {missing}"
    for who, action in itertools.product(people, actions):
        told = {arn: lacking(found, who, action, arn, {}) for arn in arns[:12]}
        yield f"{who} {action} lacks {sorted({str(each) for each in told.values()})}"


def _rest() -> Iterator[str]:
    names = (
        *(
            "s3:*",
            "s3:",
            "s3:ListBucket",
            "kms:DescribeKey",
            "dynamodb:DescribeTable",
            "s3:GetObject",
        ),
        *(
            "s3:GetBucketPolicy",
            "iam:PassRole",
            "kms:CreateGrant",
            "kms:Decrypt",
            "KMS:Sign",
            "sqs:ReceiveMessage",
        ),
        *(
            "dynamodb:BatchGetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "logs:FilterLogEvents",
            "s3:HeadBucket",
        ),
        *(
            "cloudtrail:LookupEvents",
            "s3:PutObject",
            "s3:TagResource",
            "x:UntagResource",
            "sns:Publish",
        ),
        *(
            "lambda:InvokeFunction",
            "states:StartExecution",
            "sqs:SendMessage",
            "sts:AssumeRole",
            "s3:PutObjectAcl",
        ),
        *("lambda:AddPermission", "x:Relist", "x:Forget"),
    )
    yield from (f"{level}: {found}" for level, found in by_level(names))
    yield f"one: {by_level(names[-1:])}, none: {by_level(())}"
    grant = Grant(
        why="x",
        actions=("s3:Get*", "s3:PutObject"),
        resources=("*", "arn:aws:s3:::a?/*"),
        conditions=(
            _c("StringEquals", "x"),
            _c("Null", "true", key="n"),
            _c("Bool", "true", key="b"),
        ),
    )
    yield from (f"{each}" for each in requests_of(grant, ROLE))
    yield f"{context_for(grant.conditions)} {on_behalf_of('arn:aws:s3:::a')}"
    yield f"{[concrete(each) for each in ('*', 'a*b?', 'a')]} {concrete('a*', 'W')}"


def written() -> str:
    """All answers."""
    kinds = (
        _patterns,
        _conditions,
        _implications,
        _decisions,
        _documents,
        _containment,
        _access,
        _rest,
    )
    return "\n".join(itertools.chain.from_iterable(kind() for kind in kinds)) + "\n"


if __name__ == "__main__":
    ANSWERS.write_text(written(), "utf-8")
