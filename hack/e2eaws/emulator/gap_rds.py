# SPDX-License-Identifier: Apache-2.0
"""RDS. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/

Otherwise: {Create,Modify}DBInstance forget what Performance Insights was asked to be.
"""
from calls import wrap

from moto.rds.models import RDSBackend


def _remember(instance, asked):
    if asked.get("enable_performance_insights") is not None:
        instance.performance_insights_enabled = str(asked["enable_performance_insights"]).lower() == "true"
    for name in ("performance_insights_kms_key_id", "performance_insights_retention_period"):
        if asked.get(name) is not None:
            setattr(instance, name, asked[name])
    return instance


@wrap(RDSBackend, "create_db_instance")
def create_instance(before, self, kwargs):
    return _remember(before(self, kwargs), kwargs)


@wrap(RDSBackend, "modify_db_instance")
def modify_instance(before, self, name, kwargs):
    return _remember(before(self, name, kwargs), kwargs)
