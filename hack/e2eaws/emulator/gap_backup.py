# SPDX-License-Identifier: Apache-2.0
"""Backup. https://docs.aws.amazon.com/aws-backup/latest/devguide/api-reference.html

Lacking: {Create,Get,Delete}BackupSelection; {Put,Get,Delete}BackupVaultNotifications and -AccessPolicy;
{Create,Get,Update,Delete}RestoreTestingPlan and -Selection.
Otherwise: CreateBackupPlan makes a second plan when a request is sent again under the same CreatorRequestId.
"""
from calls import fresh, now, path, wrap

from moto.backup.models import BackupBackend

PLANS, VAULTS, TESTS = r"/backup/plans/([^/]+)", r"/backup-vaults/([^/]+)", r"/restore-testing/plans"


@path("backup", "PUT", PLANS + "/selections")
def create_selection(c):
    plan, selection = c.groups[0], fresh()
    c.put({"BackupPlanId": plan, "SelectionId": selection, "CreationDate": now(), "BackupSelection": c.body["BackupSelection"]}, "selection", plan, selection)
    return {"SelectionId": selection, "BackupPlanId": plan, "CreationDate": now()}


@path("backup", "GET", PLANS + "/selections/([^/]+)")
def get_selection(c):
    return c.get("selection", *c.groups)


@path("backup", "DELETE", PLANS + "/selections/([^/]+)")
def delete_selection(c):
    c.drop("selection", *c.groups)
    return {}


def _of_vault(kind, at):
    """What hangs on a vault: put, got and deleted as it is."""

    @path("backup", "PUT", VAULTS + "/" + at)
    def put(c):
        c.put({**c.body, "BackupVaultName": c.groups[0], "BackupVaultArn": c.arn("backup", "backup-vault:" + c.groups[0])}, kind, *c.groups)
        return {}

    @path("backup", "GET", VAULTS + "/" + at)
    def get(c):
        return c.get(kind, *c.groups)

    @path("backup", "DELETE", VAULTS + "/" + at)
    def delete(c):
        c.drop(kind, *c.groups)
        return {}


_of_vault("notifications", "notification-configuration")
_of_vault("policy", "access-policy")


def _test(c, name):
    return {"CreationTime": now(), "RestoreTestingPlanArn": c.get("test", name)["RestoreTestingPlanArn"], "RestoreTestingPlanName": name}


@path("backup", "PUT", TESTS)
def create_test(c):
    plan = c.body["RestoreTestingPlan"]
    name = plan["RestoreTestingPlanName"]
    # The defaults are the API's.
    c.put({"StartWindowHours": 24, "ScheduleExpressionTimezone": "Etc/UTC", **plan, "CreationTime": now(), "Tags": c.body.get("Tags") or {},
           "RestoreTestingPlanArn": c.arn("backup", f"restore-testing-plan:{name}-{fresh()}")}, "test", name)
    return _test(c, name)


@path("backup", "GET", TESTS + "/([^/]+)")
def get_test(c):
    return {"RestoreTestingPlan": c.get("test", *c.groups)}


@path("backup", "PUT", TESTS + "/([^/]+)")
def update_test(c):
    c.get("test", *c.groups).update(c.body["RestoreTestingPlan"])
    return {**_test(c, c.groups[0]), "UpdateTime": now()}


@path("backup", "DELETE", TESTS + "/([^/]+)")
def delete_test(c):
    c.drop("test", *c.groups)
    return {}


@path("backup", "PUT", TESTS + "/([^/]+)/selections")
def create_tested(c):
    selection = c.body["RestoreTestingSelection"]
    name = selection["RestoreTestingSelectionName"]
    c.put({"RestoreMetadataOverrides": {}, **selection, "RestoreTestingPlanName": c.groups[0], "CreationTime": now()}, "tested", *c.groups, name)
    return {**_test(c, c.groups[0]), "RestoreTestingSelectionName": name}


@path("backup", "GET", TESTS + "/([^/]+)/selections/([^/]+)")
def get_tested(c):
    return {"RestoreTestingSelection": c.get("tested", *c.groups)}


@path("backup", "PUT", TESTS + "/([^/]+)/selections/([^/]+)")
def update_tested(c):
    c.get("tested", *c.groups).update(c.body["RestoreTestingSelection"])
    return {**_test(c, c.groups[0]), "UpdateTime": now(), "RestoreTestingSelectionName": c.groups[1]}


@path("backup", "DELETE", TESTS + "/([^/]+)/selections/([^/]+)")
def delete_tested(c):
    c.drop("tested", *c.groups)
    return {}


@path("backup", "GET", r"/tags/(arn.*restore-testing-plan.*)")
def tags_of_test(c):
    arn = c.groups[0].rstrip("/")
    return {"Tags": next((p["Tags"] for p in c.find("test") if p["RestoreTestingPlanArn"] == arn), {})}


@wrap(BackupBackend, "create_backup_plan")
def create_plan(before, self, backup_plan, backup_plan_tags, creator_request_id):
    for plan in self.plans.values():
        if creator_request_id and plan.creator_request_id == creator_request_id:
            return plan
    return before(self, backup_plan, backup_plan_tags, creator_request_id)
