"""The app of the local environment with its options on, as a command for the CDK CLI."""

from app import build_app
from tools.scan.cases import Case

if __name__ == "__main__":
    build_app(Case(environment="local", options="all").context()).synth()
