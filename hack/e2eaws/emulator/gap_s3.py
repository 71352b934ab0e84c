# SPDX-License-Identifier: Apache-2.0
"""S3. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html

Otherwise: the emulator takes a denial under a condition (aws:SecureTransport) for one of everything.
"""
import json

from calls import wrap

from moto.s3.models import FakeBucket


@wrap(FakeBucket, "get_permission")
def get_permission(before, self, action, resource):
    policy = self.policy
    if policy is None:
        return before(self, action, resource)
    document = json.loads(policy)
    document["Statement"] = [s for s in document["Statement"] if not (s.get("Effect") == "Deny" and s.get("Condition"))]
    self.policy = json.dumps(document).encode()
    try:
        return before(self, action, resource)
    finally:
        self.policy = policy
