"""The functions of AWS Lambda; bedrock_tuning/contracts/states/ calls those of a run.

One module for each function.
"""
