# SPDX-License-Identifier: Apache-2.0
"""Access Analyzer, Security Hub and GuardDuty. https://docs.aws.amazon.com/access-analyzer/latest/APIReference/,
.../securityhub/1.0/APIReference/, .../guardduty/latest/APIReference/

Lacking: Access Analyzer; {BatchEnable,Get,BatchDisable}Standards of Security Hub.
Otherwise: GuardDuty's UpdateDetector forgets the features that a request does not name; AWS leaves them.
"""
from calls import path, wrap

from moto.guardduty.models import Detector


@path("access-analyzer", "PUT", "/analyzer")
def create_analyzer(c):
    name = c.body["analyzerName"]
    arn = c.arn("access-analyzer", "analyzer/" + name)
    c.put({"arn": arn, "name": name, "type": c.body["type"], "createdAt": "2026-01-01T00:00:00Z", "status": "ACTIVE", "tags": c.body.get("tags") or {}},
          "analyzer", name)
    return {"arn": arn}


@path("access-analyzer", "GET", "/analyzer/([^/]+)")
def get_analyzer(c):
    return {"analyzer": c.get("analyzer", *c.groups)}


@path("access-analyzer", "DELETE", "/analyzer/([^/]+)")
def delete_analyzer(c):
    c.drop("analyzer", *c.groups)
    return {}


@path("access-analyzer", "GET", "/tags/(.+)")
def tags_of_analyzer(c):
    return {"tags": c.get("analyzer", c.groups[0].rsplit("/", 1)[1])["tags"]}


@path("securityhub", "POST", "/standards/register")
def enable_standards(c):
    made = []
    for wanted in c.body["StandardsSubscriptionRequests"]:
        arn = c.arn("securityhub", "subscription/" + wanted["StandardsArn"].split("/", 1)[1])
        made.append(c.put({"StandardsArn": wanted["StandardsArn"], "StandardsSubscriptionArn": arn, "StandardsStatus": "READY", "StandardsInput": {}},
                          "standard", arn))
    return {"StandardsSubscriptions": made}


@path("securityhub", "POST", "/standards/get")
def get_standards(c):
    wanted = c.body.get("StandardsSubscriptionArns")
    return {"StandardsSubscriptions": [s for s in c.find("standard") if not wanted or s["StandardsSubscriptionArn"] in wanted]}


@path("securityhub", "POST", "/standards/deregister")
def disable_standards(c):
    return {"StandardsSubscriptions": [{**c.drop("standard", arn), "StandardsStatus": "DELETING"} for arn in c.body["StandardsSubscriptionArns"]]}


@wrap(Detector, "update")
def update_detector(before, self, enable, frequency, sources, features):
    if features is not None:
        features = list({f["name"]: f for f in [*self.features, *features]}.values())
    return before(self, enable, frequency, sources, features)
