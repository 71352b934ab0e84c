# SPDX-License-Identifier: Apache-2.0
"""EC2 and EC2 Auto Scaling. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/

Lacking: {Get,Modify,Reset}EbsDefaultKmsKeyId; the autoscaling groups behind EKS's node groups (they come to be when
something is attached to them, and hold no machines).
Otherwise: tags of a launch template count as a part of what it launches; rules of security groups that name a group or a
prefix list forget their description.
"""
from calls import REGION, Missing, action, wrap

from moto.autoscaling.models import AutoScalingBackend
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.models.security_groups import SecurityGroupRule


def _ebs(name, change):
    @action("ec2", name)
    def call(c):
        change(c)
        try:
            key = c.get("volumes key")
        except Missing:
            key = c.arn("kms", "alias/aws/ebs")
        return (f'<?xml version="1.0" encoding="UTF-8"?><{name}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
                f"<requestId>1</requestId><kmsKeyId>{key}</kmsKeyId></{name}Response>")


_ebs("GetEbsDefaultKmsKeyId", lambda c: None)
_ebs("ModifyEbsDefaultKmsKeyId", lambda c: c.put(c.body["KmsKeyId"], "volumes key"))
_ebs("ResetEbsDefaultKmsKeyId", lambda c: c.drop("volumes key"))


@wrap(LaunchTemplateVersion, "__init__")
def template_version(before, self, template, number, data, description):
    if data.get("TagSpecifications"):
        data["TagSpecifications"] = [t for t in data["TagSpecifications"] if t.get("ResourceType") != "launch-template"]
    before(self, template, number, data, description)


@wrap(SecurityGroupRule, "__init__")
def rule(before, self, *args, **kwargs):
    before(self, *args, **kwargs)
    listed = kwargs.get("prefix_list_id") or (args[7] if len(args) > 7 else None)
    self.of_list = listed.get("Description") if isinstance(listed, dict) else None


SecurityGroupRule.description = property(
    lambda self: (self.ip_range or {}).get("Description") or (self.source_group or {}).get("Description") or getattr(self, "of_list", None))


@wrap(AutoScalingBackend, "attach_load_balancer_target_groups")
def attach(before, self, group_name, target_group_arns):
    if group_name.startswith("eks-") and group_name not in self.autoscaling_groups:
        if "eks" not in self.launch_configurations:
            self.create_launch_configuration(
                name="eks", image_id="ami-00000000", key_name=None, kernel_id="", ramdisk_id="", security_groups=[], user_data=None,
                instance_type="m6i.large", instance_monitoring=False, instance_profile_name=None, spot_price=None, ebs_optimized=False,
                associate_public_ip_address=False, block_device_mappings=[])
        self.create_auto_scaling_group(
            name=group_name, availability_zones=[REGION + "a"], desired_capacity=0, max_size=1, min_size=0, launch_config_name="eks",
            launch_template={}, vpc_zone_identifier=None, default_cooldown=None, health_check_period=None, health_check_type=None,
            load_balancers=[], target_group_arns=[], placement_group=None, termination_policies=[], tags=[])
    return before(self, group_name, target_group_arns)
