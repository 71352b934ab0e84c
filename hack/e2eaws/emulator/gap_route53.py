# SPDX-License-Identifier: Apache-2.0
"""Route 53. https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html

Otherwise: a health check of the type CLOUDWATCH_METRIC forgets its alarm, and has a port, an interval and a threshold. A
batch creates what is there and deletes what is not, and is not taken as a whole: of plain records (those of a weight or an
alias are left to the emulator) it is refused for a CREATE of what is there, and for a DELETE that is not what is there.
"""
import threading

from calls import wrap

from moto.route53.exceptions import Route53ClientError
from moto.route53.models import HealthCheck, Route53Backend
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


_changing = threading.Lock()


def _form(record):
    values = [v["Value"] if isinstance(v, dict) else v for v in record["ResourceRecords"]]
    return str(record.get("TTL")), sorted(values)


def _at(name, kind):
    return name.strip("."), kind


@wrap(Route53Backend, "change_resource_record_sets")
def change_resource_record_sets(before, self, zoneid, change_list):
    with _changing:
        plain = [r for r in self.get_hosted_zone(zoneid).rrsets if r.records and not r.set_identifier]
        now = {_at(r.name, r.type): (str(r.ttl), sorted(map(str, r.records))) for r in plain}
        taken = []
        for change in change_list:
            record, action = change["ResourceRecordSet"], change["Action"]
            if record.get("SetIdentifier") or not record.get("ResourceRecords"):
                taken.append(change)
                continue
            at = _at(record["Name"], record["Type"])
            if action == "CREATE" and at in now or action == "DELETE" and now.get(at) != _form(record):
                raise Route53ClientError("InvalidChangeBatch", f"Tried to {action} {at}, which is {now.get(at)}")
            if action == "DELETE":
                del now[at]
            else:
                now[at] = _form(record)
            # The emulator refuses to create again what it ever had.
            taken.append({**change, "Action": "UPSERT"} if action == "CREATE" else change)
        return before(self, zoneid, taken)
