"""`tuning doctor`: what an account really answers, by calls that change and cost nothing."""

from bedrock_tuning.client.doctor.canary import CANARIES
from bedrock_tuning.client.doctor.check import Answer, Check, Result, Subject, examine
from bedrock_tuning.client.doctor.of_account import ACCOUNT
from bedrock_tuning.client.doctor.of_deployment import DEPLOYMENT
from bedrock_tuning.client.doctor.of_models import MODELS

CHECKS = (*ACCOUNT, *MODELS, *DEPLOYMENT, *CANARIES)

__all__ = ["CHECKS", "Answer", "Check", "Result", "Subject", "examine"]
