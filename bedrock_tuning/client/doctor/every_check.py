"""Every check of `tuning doctor`, in the order in which it makes them."""

from bedrock_tuning.client.doctor.canary import CANARIES
from bedrock_tuning.client.doctor.canary_upload import UPLOADS
from bedrock_tuning.client.doctor.of_account import ACCOUNT
from bedrock_tuning.client.doctor.of_deployment import DEPLOYMENT
from bedrock_tuning.client.doctor.of_models import MODELS
from bedrock_tuning.client.doctor.of_rights import RIGHTS
from bedrock_tuning.client.doctor.of_workflow import STATES

CHECKS = (*ACCOUNT, *MODELS, *DEPLOYMENT, *STATES, *RIGHTS, *CANARIES, *UPLOADS)
