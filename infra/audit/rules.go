// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// rule says what a change of one property means, whatever has the property.
type rule struct {
	// kinds is a prefix of the kinds it is for; empty for all.
	kinds string
	// path is that of the property; "*" stands for any one step.
	path  []any
	when  func(was, is any) bool
	class Class
	level Level
	// words may hold %s twice, for the old and the new value.
	words string
}

func (r rule) apply(s *subject) {
	if !strings.HasPrefix(s.kind, r.kinds) || s.operation == policy.Delete {
		return
	}
	if s.operation == policy.Create {
		// There is no difference to tell: what a new thing begins with counts as changed to.
		if len(r.path) == 1 && r.class != Other && r.when(nil, s.is(r.path...).Value) && s.is(r.path...).Value != nil {
			s.say(r.class, r.level, "%s", words(r.words, "none", brief(s.is(r.path...).Value)))
		}
		return
	}
	for _, d := range s.at(r.path...) {
		if len(d.path) == len(r.path) && r.when(d.old, d.new) {
			d.told = !d.replaces
			s.say(r.class, r.level, "%s", words(r.words, brief(d.old), brief(d.new)))
		}
	}
}

func words(format, old, is string) string {
	switch strings.Count(format, "%s") {
	case 2:
		return fmt.Sprintf(format, old, is)
	case 1:
		return fmt.Sprintf(format, is)
	}
	return format
}

func switchedOff(was, is any) bool { return was == true && (is == false || is == nil) }
func switchedOn(was, is any) bool  { return was != true && is == true }

// setFalse is for what is on unless it is said otherwise.
func setFalse(was, is any) bool { return was != false && is == false }

func lowered(was, is any) bool {
	a, aok := was.(float64)
	b, bok := is.(float64)
	return aok && bok && b < a
}

func toNone(was, is any) bool {
	a, aok := was.(float64)
	b, bok := is.(float64)
	return aok && bok && a > 0 && b == 0
}

func becomes(values ...string) func(was, is any) bool {
	return func(was, is any) bool {
		for _, v := range values {
			if is == v && was != v {
				return true
			}
		}
		return false
	}
}

func differs(was, is any) bool { return was != nil && is != nil }

// p is a path.
func p(steps ...any) []any { return steps }

// rules are asked in order; the first that knows a difference has it.
var rules = []rule{
	{"", p("deletionProtection"), switchedOff, DataLoss, High, "deletion protection is switched off"},
	{"", p("enableDeletionProtection"), switchedOff, Availability, High, "deletion protection is switched off"},
	{"", p("deletionProtection"), switchedOn, Other, Low, "deletion protection is switched on"},
	{"", p("skipFinalSnapshot"), switchedOn, DataLoss, High, "its deletion would leave no final snapshot"},
	{"", p("forceDestroy"), switchedOn, DataLoss, High, "it may be deleted with all that is in it"},
	{"", p("backupRetentionPeriod"), lowered, DataLoss, High, "backups are kept for %s days -> %s days"},
	{"", p("retentionInDays"), lowered, DataLoss, Medium, "kept for %s days -> %s days"},
	{"", p("deletionWindowInDays"), lowered, DataLoss, Medium, "a deletion can be taken back for %s days -> %s days"},
	{"", p("versioningConfiguration", "status"), becomes("Suspended", "Disabled"), DataLoss, High, "older versions are no longer kept: %s -> %s"},
	{"", p("reclaimPolicy"), becomes("Delete"), DataLoss, High, "volumes are deleted with their claims: %s -> %s"},
	{"aws:backup/", p("lifecycle", "deleteAfter"), lowered, DataLoss, High, "backups are kept for %s days -> %s days"},

	{"", p("publiclyAccessible"), switchedOn, Exposure, High, "it can be reached from the internet"},
	{"", p("storageEncrypted"), setFalse, Exposure, High, "its storage is not encrypted"},
	{"", p("encrypted"), setFalse, Exposure, High, "it is not encrypted"},
	{"", p("atRestEncryptionEnabled"), setFalse, Exposure, High, "it is not encrypted at rest"},
	{"", p("transitEncryptionEnabled"), setFalse, Exposure, High, "it is not encrypted in transit"},
	{"", p("enableKeyRotation"), switchedOff, Exposure, Medium, "its key is no longer rotated"},
	{"", p("acl"), becomes("public-read", "public-read-write", "authenticated-read"), Exposure, High, "anyone may read it: %s -> %s"},
	{"aws:s3/", p("blockPublicAcls"), setFalse, Exposure, High, "public access lists are allowed"},
	{"aws:s3/", p("blockPublicPolicy"), setFalse, Exposure, High, "public policies are allowed"},
	{"aws:s3/", p("ignorePublicAcls"), setFalse, Exposure, High, "public access lists count"},
	{"aws:s3/", p("restrictPublicBuckets"), setFalse, Exposure, High, "a public policy opens it to everybody"},
	{"aws:eks/", p("vpcConfig", "endpointPublicAccess"), switchedOn, Exposure, High, "its API can be reached from the internet"},
	{"aws:cloudtrail/", p("enableLogging"), setFalse, Exposure, High, "the audit trail is switched off"},
	{"aws:cloudtrail/", p("isMultiRegionTrail"), switchedOff, Exposure, Medium, "the audit trail leaves out other regions"},
	{"aws:cloudtrail/", p("enableLogFileValidation"), switchedOff, Exposure, High, "tampering with the audit trail is no longer noticed"},
	{"aws:lb/", p("sslPolicy"), differs, Exposure, Medium, "the accepted TLS versions and ciphers change: %s -> %s"},
	{"aws:lb/", p("internal"), switchedOff, Exposure, High, "it can be reached from the internet"},

	{"", p("multiAz"), switchedOff, Availability, High, "it no longer has a standby in another zone"},
	{"", p("deploymentMode"), becomes("SINGLE_INSTANCE"), Availability, High, "it no longer survives the loss of a zone: %s -> %s"},
	{"", p("scalingConfig", "desiredSize"), lowered, Availability, Medium, "machines: %s -> %s"},
	{"", p("scalingConfig", "minSize"), lowered, Availability, Medium, "machines at least: %s -> %s"},
	{"", p("engineVersion"), differs, Availability, Medium, "engine %s -> %s: it restarts"},
	{"aws:eks/", p("version"), differs, Availability, Medium, "Kubernetes %s -> %s"},
	{"aws:", p("instanceClass"), differs, Availability, Medium, "size %s -> %s: it restarts"},
	{"aws:", p("instanceType"), differs, Availability, Medium, "size %s -> %s: it restarts"},
	{"aws:", p("hostInstanceType"), differs, Availability, Medium, "size %s -> %s: it restarts"},
	{"aws:", p("applyImmediately"), switchedOn, Availability, Medium, "changes no longer wait for the maintenance window"},

	{"", p("spec", "replicas"), toNone, Availability, High, "replicas %s -> %s: it is switched off"},
	{"", p("spec", "replicas"), lowered, Availability, Medium, "replicas %s -> %s"},
	{"", p("spec", "replicas"), differs, Other, Low, "replicas %s -> %s"},
	{"", p("spec", "instances"), lowered, Availability, High, "instances %s -> %s"},
}
