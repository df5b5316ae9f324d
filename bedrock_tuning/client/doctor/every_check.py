"""Every check of `tuning doctor`, in the order in which it makes them: that of these modules.

A module of its own: who only reads what AWS answered does not import the checks.
"""

from typing import Final

from bedrock_tuning.client.doctor import (
    canary,
    canary_upload,
    of_account,
    of_deployment,
    of_models,
    of_rights,
    of_workflow,
)
from bedrock_tuning.client.doctor.check import DoctorCheck

_MODULES: Final = (
    *(of_account, of_models, of_deployment, of_workflow, of_rights, canary, canary_upload),
)
DOCTOR_CHECKS: Final = tuple(
    member
    for module in _MODULES
    for member in vars(module).values()
    if isinstance(member, DoctorCheck)
)
