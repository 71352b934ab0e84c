# SPDX-License-Identifier: Apache-2.0
"""EKS. https://docs.aws.amazon.com/eks/latest/APIReference/

Lacking: {Create,Describe,Update,Delete}Addon; {Create,Describe,Update,Delete}AccessEntry and the policies of entries;
{Create,Describe,List,Update,Delete}PodIdentityAssociation; UpdateClusterVersion, UpdateNodegroupVersion, DescribeUpdate.
Otherwise: CreateCluster forgets accessConfig, CreateNodegroup updateConfig.
"""
from calls import REGION, fresh, now, path, wrap

from moto.eks.models import eks_backends
from moto.eks.responses import EKSResponse

CLUSTER = r"/clusters/([^/]+)"


def _updated(kind):
    return {"update": {"id": fresh(), "status": "Successful", "type": kind}}


@path("eks", "GET", CLUSTER + "/updates/([^/]+)")
def describe_update(c):
    return {"update": {"id": c.groups[1], "status": "Successful", "type": "AddonUpdate"}}


# Add-ons.


@path("eks", "POST", CLUSTER + "/addons")
def create_addon(c):
    cluster, name = c.groups[0], c.body["addonName"]
    pods = [_associate(c, cluster, "kube-system", p) for p in c.body.get("podIdentityAssociations") or []]
    return {"addon": c.put({
        **c.body, "clusterName": cluster, "status": "ACTIVE", "health": {"issues": []}, "createdAt": now(), "modifiedAt": now(),
        "addonArn": c.arn("eks", f"addon/{cluster}/{name}/{fresh()}"), "podIdentityAssociations": [p["associationArn"] for p in pods],
    }, "addon", cluster, name)}


@path("eks", "GET", CLUSTER + "/addons/([^/]+)")
def describe_addon(c):
    return {"addon": c.get("addon", *c.groups)}


@path("eks", "POST", CLUSTER + "/addons/([^/]+)/update")
def update_addon(c):
    c.get("addon", *c.groups).update({k: v for k, v in c.body.items() if k != "podIdentityAssociations"})
    return _updated("AddonUpdate")


@path("eks", "DELETE", CLUSTER + "/addons/([^/]+)")
def delete_addon(c):
    return {"addon": c.drop("addon", *c.groups)}


# Who may do what in a cluster. A principal is an ARN, whose slashes are sent encoded or not.


@path("eks", "POST", CLUSTER + "/access-entries")
def create_entry(c):
    cluster, principal = c.groups[0], c.body["principalArn"]
    return {"accessEntry": c.put({
        "kubernetesGroups": [], "type": "STANDARD", "username": principal, "tags": {}, **c.body, "clusterName": cluster,
        "accessEntryArn": c.arn("eks", f"access-entry/{cluster}/{fresh()}"), "createdAt": now(), "modifiedAt": now(),
    }, "entry", cluster, principal)}


@path("eks", "POST", CLUSTER + "/access-entries/(.+)/access-policies")
def associate_policy(c):
    cluster, principal = c.groups
    c.get("entry", cluster, principal)
    made = c.put({**c.body, "associatedAt": now(), "modifiedAt": now()}, "entry policy", cluster, principal, c.body["policyArn"])
    return {"clusterName": cluster, "principalArn": principal, "associatedAccessPolicy": made}


@path("eks", "GET", CLUSTER + "/access-entries/(.+)/access-policies")
def list_policies(c):
    cluster, principal = c.groups
    c.get("entry", cluster, principal)
    return {"clusterName": cluster, "principalArn": principal, "associatedAccessPolicies": c.find("entry policy", cluster, principal)}


@path("eks", "DELETE", CLUSTER + "/access-entries/(.+)/access-policies/(.+)")
def disassociate_policy(c):
    c.drop("entry policy", *c.groups)
    return {}


@path("eks", "GET", CLUSTER + "/access-entries/(.+)")
def describe_entry(c):
    return {"accessEntry": c.get("entry", *c.groups)}


@path("eks", "POST", CLUSTER + "/access-entries/(.+)")
def update_entry(c):
    c.get("entry", *c.groups).update(c.body)
    return {"accessEntry": c.get("entry", *c.groups)}


@path("eks", "DELETE", CLUSTER + "/access-entries/(.+)")
def delete_entry(c):
    c.drop("entry", *c.groups)
    return {}


# Roles of pods.


def _associate(c, cluster, namespace, of):
    name = "a-" + fresh().replace("-", "")[:16]
    return c.put({
        "clusterName": cluster, "namespace": namespace, "serviceAccount": of["serviceAccount"], "roleArn": of["roleArn"], "associationId": name,
        "associationArn": c.arn("eks", f"podidentityassociation/{cluster}/{name}"), "tags": of.get("tags") or {}, "createdAt": now(), "modifiedAt": now(),
    }, "pods", cluster, name)


@path("eks", "POST", CLUSTER + "/pod-identity-associations")
def create_association(c):
    return {"association": _associate(c, c.groups[0], c.body["namespace"], c.body)}


@path("eks", "GET", CLUSTER + "/pod-identity-associations")
def list_associations(c):
    return {"associations": c.find("pods", *c.groups)}


@path("eks", "GET", CLUSTER + "/pod-identity-associations/([^/]+)")
def describe_association(c):
    return {"association": c.get("pods", *c.groups)}


@path("eks", "POST", CLUSTER + "/pod-identity-associations/([^/]+)")
def update_association(c):
    c.get("pods", *c.groups).update(c.body)
    return {"association": c.get("pods", *c.groups)}


@path("eks", "DELETE", CLUSTER + "/pod-identity-associations/([^/]+)")
def delete_association(c):
    return {"association": c.drop("pods", *c.groups)}


# Clusters and node groups are the emulator's own.


def _cluster(c):
    return eks_backends[c.account][REGION].clusters[c.groups[0]]


@path("eks", "POST", CLUSTER + "/updates")
def update_cluster_version(c):
    _cluster(c).version = c.body["version"]
    return _updated("VersionUpdate")


@path("eks", "POST", CLUSTER + "/node-groups/([^/]+)/update-version")
def update_nodegroup_version(c):
    group = _cluster(c).nodegroups[c.groups[1]]
    group.version = c.body.get("version", group.version)
    if c.body.get("launchTemplate"):
        group.launch_template = {**(group.launch_template or {}), **c.body["launchTemplate"]}
    return _updated("VersionUpdate")


@wrap(EKSResponse, "create_cluster")
def create_cluster(before, self):
    result = before(self)
    asked = self._get_param("accessConfig") or {}
    self.eks_backend.clusters[self._get_param("name")].access_config = {"authenticationMode": asked.get("authenticationMode", "CONFIG_MAP")}
    return result


@wrap(EKSResponse, "create_nodegroup")
def create_nodegroup(before, self):
    result = before(self)
    self.eks_backend.clusters[self._get_param("name")].nodegroups[self._get_param("nodegroupName")].update_config = self._get_param("updateConfig")
    return result
