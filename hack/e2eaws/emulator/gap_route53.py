# SPDX-License-Identifier: Apache-2.0
"""Route 53. https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html

Otherwise: a health check of the type CLOUDWATCH_METRIC forgets its alarm, and has a port, an interval and a threshold.
"""
from calls import wrap

from moto.route53.models import HealthCheck
from moto.route53.responses import Route53

_config = HealthCheck.health_check_config.fget


@property
def health_check_config(self):
    config = _config(self)
    if self.type_ == "CLOUDWATCH_METRIC":
        config = {k: v for k, v in config.items() if k not in ("Port", "RequestInterval", "FailureThreshold")}
        config.update(getattr(self, "of_alarm", {}))
    return config


HealthCheck.health_check_config = health_check_config


@wrap(Route53, "create_health_check")
def create_health_check(before, self):
    result = before(self)
    given = self._get_param("HealthCheckConfig")
    result.result["HealthCheck"].of_alarm = {k: given[k] for k in ("AlarmIdentifier", "InsufficientDataHealthStatus") if given.get(k)}
    return result
