// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strings"

	"spine.nhs.uk/controlplane/infra/aws/document"
)

// administration is what those who manage keys may do, if the account's own policies
// let them: all but using the key. It names no pattern, so that no action that AWS
// adds later is given away unseen.
var administration = []string{
	"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
	"kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
	"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource",
	"kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
}

// use is what encrypts and decrypts.
var use = []string{
	"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
	"kms:ReEncryptFrom", "kms:ReEncryptTo",
}

// through are the services by way of which roles of the account may use a key: a
// role that may read a table decrypts it by reading, and cannot decrypt anything by
// asking KMS itself. (AWS KMS developer guide, kms:ViaService.)
var through = map[Class][]string{
	Patient:  {"backup", "dynamodb", "rds", "s3"},
	Platform: {"ec2", "ecr", "eks"},
	Logs:     {"s3", "sns"},
	Secrets:  {"secretsmanager"},
	Backups:  {"backup", "dynamodb", "rds", "s3"},
}

// description of each class, as people read it in the console.
var description = map[Class]string{
	Patient:  "Patients' data: databases, documents, votes",
	Platform: "The cluster: Kubernetes' secrets, volumes, images",
	Logs:     "Evidence: logs, audit trail, alarms",
	Secrets:  "What gives access: passwords",
	Backups:  "Recovery points in this account",
}

// classes in the order in which keys are made.
var classes = []Class{Patient, Platform, Logs, Secrets, Backups}

// policy is the document of a key. The resource "*" means this key.
func (a *Args) policy(c Class) string {
	here := []string{"*"}
	services := make([]string, len(through[c]))
	for i, s := range through[c] {
		services[i] = s + "." + a.Region + ".amazonaws.com"
	}
	list := []document.Statement{
		{Sid: "Manage", Principal: document.Account(a.Account), Action: administration, Resource: here},
		{
			Sid: "UseThroughServices", Principal: document.Account(a.Account), Action: use, Resource: here,
			Condition: document.Conditions{"StringEquals": {"kms:CallerAccount": {a.Account}, "kms:ViaService": services}},
		},
		{
			// Services keep using a volume's or a database's key by a grant, which only
			// they can be given here.
			Sid: "GrantToServices", Principal: document.Account(a.Account), Action: []string{"kms:CreateGrant"}, Resource: here,
			Condition: document.Conditions{"Bool": {"kms:GrantIsForAWSResource": {"true"}}},
		},
	}
	switch c {
	case Logs:
		list = append(list, a.evidence()...)
	case Platform:
		list = append(list, a.machines()...)
	case Patient, Backups:
		if a.BackupAccount != "" {
			list = append(list, a.copies()...)
		}
	}
	return document.JSON(list...)
}

// evidence lets the services write that keep logs, and those that send alerts.
func (a *Args) evidence() []document.Statement {
	here := []string{"*"}
	return []document.Statement{
		{
			Sid: "LogGroups", Principal: document.Service("logs." + a.Region + ".amazonaws.com"), Action: use, Resource: here,
			Condition: document.Conditions{"ArnLike": {
				"kms:EncryptionContext:aws:logs:arn": {"arn:aws:logs:" + a.Region + ":" + a.Account + ":log-group:*"}}},
		},
		{
			Sid: "Trail", Principal: document.Service("cloudtrail.amazonaws.com"), Resource: here,
			Action: []string{"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
			Condition: document.Conditions{"StringEquals": {
				"aws:SourceArn": {"arn:aws:cloudtrail:" + a.Region + ":" + a.Account + ":trail/" + a.Names.Name("trail")}}},
		},
		{
			Sid: "ConfigurationAndAlerts", Resource: here, Action: []string{"kms:Decrypt", "kms:GenerateDataKey"},
			Principal: document.Service("backup.amazonaws.com", "budgets.amazonaws.com", "cloudwatch.amazonaws.com", "config.amazonaws.com",
				"costalerts.amazonaws.com", "delivery.logs.amazonaws.com", "events.amazonaws.com"),
			Condition: document.FromAccount(a.Account),
		},
	}
}

// machines lets Auto Scaling encrypt the volumes of the cluster's machines: it does so
// under its own role, which no policy of ours can be attached to. The role is named by
// condition, as KMS refuses principals that do not exist yet.
func (a *Args) machines() []document.Statement {
	scaling := "arn:aws:iam::" + a.Account + ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
	is := map[string][]string{"aws:PrincipalArn": {scaling}, "kms:CallerAccount": {a.Account}}
	anybody := document.Principals{"AWS": {"*"}}
	return []document.Statement{
		{Sid: "Machines", Principal: anybody, Action: use, Resource: []string{"*"}, Condition: document.Conditions{"StringEquals": is}},
		{
			Sid: "MachinesGrant", Principal: anybody, Action: []string{"kms:CreateGrant"}, Resource: []string{"*"},
			Condition: document.Conditions{"StringEquals": is, "Bool": {"kms:GrantIsForAWSResource": {"true"}}},
		},
	}
}

// copies lets the backup account read what it copies. Snapshots of Aurora have the
// database's own key, not the vault's. (AWS Backup developer guide, cross-account
// copies.)
func (a *Args) copies() []document.Statement {
	other := document.Account(a.BackupAccount)
	return []document.Statement{
		{Sid: "Copies", Principal: other, Action: []string{"kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"}, Resource: []string{"*"}},
		{
			Sid: "CopiesGrant", Principal: other, Action: []string{"kms:CreateGrant"}, Resource: []string{"*"},
			Condition: document.Conditions{"Bool": {"kms:GrantIsForAWSResource": {"true"}}},
		},
	}
}

// alias is the name under which people find a key.
func (a *Args) alias(c Class) string { return "alias/" + strings.ToLower(a.Names.Name(string(c))) }
