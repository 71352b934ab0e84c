// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"spine.nhs.uk/controlplane/infra/policy"
)

// cis are controls of the CIS Kubernetes Benchmark.
func cis(ids ...string) []policy.Control { return controls(policy.CISKubernetes, ids...) }

func ncsc(ids ...string) []policy.Control { return controls(policy.NCSC, ids...) }

func controls(f policy.Framework, ids ...string) []policy.Control {
	list := make([]policy.Control, len(ids))
	for i, id := range ids {
		list[i] = policy.Control{Framework: f, ID: id}
	}
	return list
}

func with(lists ...[]policy.Control) []policy.Control {
	var all []policy.Control
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var resilience = append(controls(policy.CAF, "B5"), ncsc("2.6")...)

// Rules are this package's.
func Rules() []policy.Rule {
	rules := append(podRules(), accessRules()...)
	rules = append(rules, availabilityRules()...)
	for i := range rules {
		rules[i].Severity = policy.Mandatory
		if rules[i].Check != nil {
			rules[i].Types = []string{manifests}
		}
	}
	return rules
}

func podRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "objects-readable", Controls: with(ncsc("13"), cis("5.2.1")),
			Explanation: "Objects can be judged: only a Secret is a secret as a whole.",
			Fix:         "Make secret only the values that are: pulumi.ToSecret around the data, not around the object.",
			Check:       readable,
		},
		{
			Name: "pod-host-access", Controls: with(cis("5.2.2", "5.2.3", "5.2.4", "5.2.5", "5.2.9", "5.2.12", "5.2.13"), ncsc("3")),
			Explanation: "Pods do not reach into their host: no privilege, no namespaces, folders, ports or capabilities of its. " +
				"The programs that are a part of their hosts are known by name.",
			Fix:   "Do without; a program that has to be a part of its host is entered in hostAgents, with the reason.",
			Check: eachPod(hostAccess),
		},
		{
			Name: "pod-unprivileged", Controls: with(cis("5.2.6", "5.2.7", "5.2.8", "5.7.2", "5.7.3"), ncsc("3")),
			Explanation: "Containers run as an ordinary user, without capabilities, with filtered system calls, on a file " +
				"system that they cannot write.",
			Fix: "securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, " +
				"capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}.",
			Check: eachPod(unprivileged),
		},
		{
			Name: "pod-resources", Controls: with(resilience, controls(policy.Spine, "11")),
			Explanation: "Containers say what they need, and how much memory they may take: one that leaks must not take its neighbours along.",
			Fix:         "Set resources: requests of cpu and memory, and a limit of memory.",
			Check:       eachPod(resources),
		},
		{
			Name: "pod-account", Controls: cis("5.1.5", "5.1.6", "5.7.4"),
			Explanation: "Programs have an account of their own, or none, and a namespace of their own: rights given to the shared ones are everybody's.",
			Fix:         "Set serviceAccountName, or automountServiceAccountToken: false, and a namespace.",
			Check:       eachPod(ownAccount),
		},
		{
			Name: "image-digest", Controls: with(cis("5.5.1"), ncsc("8")),
			Explanation: "Images are named by digest, so that what was tested is what runs.",
			Fix:         "Name images as {{image \"name\"}} in manifests, which gives the digest.",
			Check:       eachPod(imagesByDigest),
		},
	}
}

func accessRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "rbac-wildcards", Controls: with(cis("5.1.3"), ncsc("9")),
			Explanation: "Roles name what they allow. Only reading may be of all kinds in named groups.",
			Fix:         "List the groups, kinds and verbs.",
			Check:       eachObject(wildcards, "Role", "ClusterRole"),
		},
		{
			Name: "rbac-escalation", Controls: with(cis("5.1.1", "5.1.8"), ncsc("9")),
			Explanation: "Nobody gets the rights that give all others: cluster-admin, escalate, bind and impersonate; and nothing is given to anybody at all.",
			Fix:         "Grant the rights that are needed by a role of their own.",
			Check:       eachObject(escalation, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
		},
		{
			Name: "rbac-secrets", Controls: with(cis("5.1.2"), ncsc("9")),
			Explanation: "Secrets are read namespace by namespace. The operators that make or serve others' are known by name.",
			Fix:         "Use a Role in each namespace; an operator that has to see all is entered in secretReaders, with the reason.",
			Check:       eachObject(secretsEverywhere, "ClusterRole"),
		},
		{
			Name: "secret-literals", Controls: with(cis("5.4.1"), ncsc("2.3")),
			Explanation: "Secrets are secrets of Pulumi's in Secrets of Kubernetes': not in variables, not in ConfigMaps, not in plain text in the state.",
			Fix:         "Wrap the value in pulumi.ToSecret and put it into a Secret that the pod mounts.",
			Check:       eachObject(literalSecrets),
		},
		{
			Name: "namespace-closed", Controls: with(cis("5.3.2"), ncsc("3", "11")),
			Explanation: "Every namespace is closed to what no policy names.",
			Fix:         "Add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress].",
			CheckStack:  closedNamespaces,
		},
		{
			Name: "namespace-restricted", Controls: with(cis("5.2.1", "5.7.1"), ncsc("3")),
			Explanation: "Every namespace refuses pods that are not restricted. Those that hold parts of the hosts are known by name.",
			Fix:         "Label the namespace pod-security.kubernetes.io/enforce: restricted.",
			Check:       eachObject(podSecurity, "Namespace"),
		},
		{
			Name: "edge-only", Controls: ncsc("11"),
			Explanation: "Traffic from outside enters at the site's edge address and nowhere else.",
			Fix:         "Use type: LoadBalancer with loadBalancerClass: " + edgeClass + ".",
			Check:       eachObject(exposure, "Service"),
		},
		{
			Name: "certificate-life", Controls: ncsc("1", "10"),
			Explanation: "Certificates end within 398 days, and each has a new key.",
			Fix:         "Set duration, and privateKey: {rotationPolicy: Always}.",
			Check:       eachObject(certificates, "Certificate"),
		},
	}
}

func availabilityRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "disruption-budget", Controls: with(resilience, controls(policy.Spine, "1")),
			Explanation: "A drain takes one pod of a workload at a time, and is never held up for good.",
			Fix:         "Add a PodDisruptionBudget with maxUnavailable: 1 that selects the pods.",
			CheckStack:  budgets,
		},
		{
			Name: "replicas-apart", Controls: with(resilience, controls(policy.Spine, "2")),
			Explanation: "The pods of a workload are on different hosts and racks, so that the loss of one does not take all.",
			Fix:         "Set topologySpreadConstraints over topology.kubernetes.io/zone, or a podAntiAffinity.",
			Check:       eachObject(spread),
		},
		{
			Name: "volumes-retained", Controls: with(resilience, controls(policy.CAF, "D1"), controls(policy.Spine, "5")),
			Explanation: "In a live environment a volume outlives its claim: it may hold acknowledged, unprocessed work.",
			Fix:         "Set reclaimPolicy: Retain.",
			Check:       retained,
		},
		{
			Name: "two-site-durability", Controls: with(resilience, controls(policy.CAF, "D1"), controls(policy.Spine, "5")),
			Explanation: "Where a live service has two sites, both hold a message or a booking before it is acknowledged: the loss of a site loses nothing that was promised.",
			Fix:         "Set acknowledge: BothSites.",
			Check:       bothSites,
		},
		{
			Name: "archived-databases", Controls: with(resilience, controls(policy.CAF, "D1")),
			Explanation: "A live service's own database is kept in an object store, outside its hosts, and can be taken back to any moment of the last 35 days.",
			Fix:         "Say in the environment's backups where, with retentionDays of at least 35.",
			Check:       archived,
		},
		{
			Name: "hosts-fenced", Controls: with(resilience, controls(policy.Spine, "4")),
			Explanation: "A live site can switch a failed host off, for certain, before what it held runs elsewhere: a lease alone is no fence.",
			Fix:         "Say in the environment's management how the hosts' BMCs are reached.",
			CheckStack:  fencing,
		},
		{
			Name: "reliable-routes", Controls: with(controls(policy.CAF, "B5"), controls(policy.Spine, "5", "8")),
			Explanation: "A route that promises reliability recognises retries, keeps messages, and tries again.",
			Fix:         "Set reliability: duplicateElimination Always, persistDuration, and retries of at least 1.",
			Check:       eachObject(reliableRoutes, "MessagingService"),
		},
	}
}
