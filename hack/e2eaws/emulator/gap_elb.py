# SPDX-License-Identifier: Apache-2.0
"""Elastic Load Balancing. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/

Lacking: {Create,Describe,Modify,Delete}TrustStore, their tags, and DescribeTrustStoreAssociations.
Otherwise: CreateListener forgets MutualAuthentication; DeleteLoadBalancer deletes what is protected from deletion.
"""
from calls import REGION, fresh, wrap

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend
from moto.elbv2.responses import ELBV2Response

_stores, _tags = {}, {}


def create_trust_store(self):
    given = self._get_params()
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{self.current_account}:truststore/{given['Name']}/{fresh().replace('-', '')[:16]}"
    _tags[arn] = {t["Key"]: t["Value"] for t in given.get("Tags") or []}
    _stores[arn] = {"Name": given["Name"], "TrustStoreArn": arn, "Status": "ACTIVE", "NumberOfCaCertificates": 1, "TotalRevokedEntries": 0}
    return ActionResult({"TrustStores": [_stores[arn]]})


def describe_trust_stores(self):
    given = self._get_params()
    found = [s for a, s in _stores.items() if a in given.get("TrustStoreArns", [a]) and s["Name"] in given.get("Names", [s["Name"]])]
    if not found:
        raise ELBClientError("TrustStoreNotFound", "there is no such trust store")
    return ActionResult({"TrustStores": found})


def modify_trust_store(self):
    return ActionResult({"TrustStores": [_stores[self._get_params()["TrustStoreArn"]]]})


def delete_trust_store(self):
    _stores.pop(self._get_params()["TrustStoreArn"], None)
    return EmptyResult()


def describe_trust_store_associations(self):
    arn, using = self._get_params()["TrustStoreArn"], []
    for balancer in self.elbv2_backend.load_balancers.values():
        for listener in balancer.listeners.values():
            if (getattr(listener, "mutual_authentication", None) or {}).get("TrustStoreArn") == arn:
                using.append({"ResourceArn": listener.arn})
    return ActionResult({"TrustStoreAssociations": using})


for function in (create_trust_store, describe_trust_stores, modify_trust_store, delete_trust_store, describe_trust_store_associations):
    setattr(ELBV2Response, function.__name__, function)


@wrap(ELBV2Response, "describe_tags")
def describe_tags(before, self):
    arns = self._get_params().get("ResourceArns", [])
    if arns and all(":truststore/" in a for a in arns):
        return ActionResult({"TagDescriptions": [{"ResourceArn": a, "Tags": _tags.get(a, {})} for a in arns]})
    return before(self)


@wrap(ELBV2Response, "create_listener")
def create_listener(before, self):
    result = before(self)
    given = self._get_params().get("MutualAuthentication")
    if given:
        result.result["Listeners"][0].mutual_authentication = given
    return result


@wrap(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(before, self, arn):
    balancer = self.load_balancers.get(arn)
    if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise ELBClientError("OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
    return before(self, arn)
