from bedrock_tuning.notebook import Deployment as Deployment
from bedrock_tuning.notebook import prepare as prepare
from bedrock_tuning.notebook import validate as validate
