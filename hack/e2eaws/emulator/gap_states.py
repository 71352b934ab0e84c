# SPDX-License-Identifier: Apache-2.0
"""Step Functions. https://docs.aws.amazon.com/step-functions/latest/apireference/

Lacking: ListStateMachineVersions, ValidateStateMachineDefinition. Every definition is called sound: nothing is shown of it.
"""
from calls import target


@target("AWSStepFunctions.ListStateMachineVersions")
def versions(c):
    return {"stateMachineVersions": []}


@target("AWSStepFunctions.ValidateStateMachineDefinition")
def validate(c):
    return {"result": "OK", "diagnostics": [], "truncated": False}
