# SPDX-License-Identifier: Apache-2.0
"""Cost Explorer and Budgets. https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/

Lacking: {Create,Get,Update,Delete}AnomalyMonitor and -Subscription, and their tags; tags of budgets.
"""
import re

from calls import fresh, target

CE, BUDGETS = "AWSInsightsIndexService.", "AWSBudgetServiceGateway."


def _watches(kind, arn_of):
    """The four calls of monitors, or subscriptions: kind is as in their names, arn_of their ARN's field."""

    @target(f"{CE}Create{kind}")
    def create(c):
        arn = f"arn:aws:ce::{c.account}:{kind.lower()}/{fresh()}"
        c.put({**c.body[kind], arn_of: arn, "AccountId": c.account}, kind, arn)
        c.put(c.body.get("ResourceTags") or [], "tags", arn)
        return {arn_of: arn}

    @target(f"{CE}Update{kind}")
    def update(c):
        c.get(kind, c.body[arn_of]).update({k: v for k, v in c.body.items() if k != arn_of})
        return {arn_of: c.body[arn_of]}

    @target(f"{CE}Get{kind}s")
    def get(c):
        wanted = c.body.get(arn_of + "List")
        return {kind + "s": [x for x in c.find(kind) if not wanted or x[arn_of] in wanted]}

    @target(f"{CE}Delete{kind}")
    def delete(c):
        c.drop(kind, c.body[arn_of])
        return {}


_watches("AnomalyMonitor", "MonitorArn")
_watches("AnomalySubscription", "SubscriptionArn")


@target(CE + "ListTagsForResource")
def tags_of_watch(c):
    if not re.search(r":anomaly(monitor|subscription)/", c.body["ResourceArn"]):
        return None
    return {"ResourceTags": c.get("tags", c.body["ResourceArn"])}


@target(BUDGETS + "CreateBudget")
def create_budget(c):
    # The emulator makes it; only the tags are ours.
    c.put(c.body.get("ResourceTags") or [], "tags", f"arn:aws:budgets::{c.body['AccountId']}:budget/{c.body['Budget']['BudgetName']}")
    return None


@target(BUDGETS + "TagResource")
def tag_budget(c):
    tags = {t["Key"]: t for t in [*c.get("tags", c.body["ResourceARN"]), *c.body["ResourceTags"]]}
    c.put(list(tags.values()), "tags", c.body["ResourceARN"])
    return {}


@target(BUDGETS + "ListTagsForResource")
def tags_of_budget(c):
    return {"ResourceTags": c.get("tags", c.body["ResourceARN"])}
