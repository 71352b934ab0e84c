# SPDX-License-Identifier: Apache-2.0
"""The emulator with its gaps filled: moto 5.2, what the test aid's moto_awsbridge.py adds to it, and the files beside this one.

usage: emulator.py BRIDGE -H HOST -p PORT     BRIDGE is the folder that holds moto_awsbridge.py

One file for each AWS service, or two that go together. Each says which calls of the service's API reference the emulator
lacks or answers otherwise than AWS. They keep what they are given and give it back; nothing is checked.
"""
import os
import runpy
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import calls
import gap_backup  # noqa: F401 (each registers its calls)
import gap_cloudwatch  # noqa: F401
import gap_cost  # noqa: F401
import gap_dynamodb  # noqa: F401
import gap_ec2  # noqa: F401
import gap_eks  # noqa: F401
import gap_elb  # noqa: F401
import gap_rds  # noqa: F401
import gap_route53  # noqa: F401
import gap_s3  # noqa: F401
import gap_security  # noqa: F401
import gap_states  # noqa: F401

if __name__ == "__main__":
    calls.install()
    bridge = sys.argv.pop(1)
    sys.path.insert(0, bridge)
    runpy.run_path(os.path.join(bridge, "moto_awsbridge.py"), run_name="__main__")
