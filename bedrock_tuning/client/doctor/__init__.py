"""`tuning doctor`: what an account really answers, by calls that change and cost nothing."""

from bedrock_tuning.client.doctor.canary import CANARIES
from bedrock_tuning.client.doctor.canary_upload import UPLOADS
from bedrock_tuning.client.doctor.check import Answer, Check, Result, Subject, examine
from bedrock_tuning.client.doctor.of_account import ACCOUNT
from bedrock_tuning.client.doctor.of_deployment import DEPLOYMENT
from bedrock_tuning.client.doctor.of_models import MODELS
from bedrock_tuning.client.doctor.of_rights import RIGHTS
from bedrock_tuning.client.doctor.of_workflow import STATES

CHECKS = (*ACCOUNT, *MODELS, *DEPLOYMENT, *STATES, *RIGHTS, *CANARIES, *UPLOADS)

__all__ = ["CHECKS", "Answer", "Check", "Result", "Subject", "examine"]
