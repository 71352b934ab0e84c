// SPDX-License-Identifier: Apache-2.0

package database

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Args describe a Cluster.
type Args struct {
	// Name and Namespace of the Cluster.
	Name, Namespace string
	// Labels of the Cluster and of everything that CloudNativePG makes for it.
	Labels map[string]string
	// Spec is what the service's resource says.
	Spec common.DatabaseSpec
	// Topology by which instances are kept apart.
	Topology common.Topology
	// Database to make, and its owner.
	Database, Owner string
	// Profile chooses PostgreSQL's parameters.
	Profile Profile
	// Restore makes the Cluster from what another one has archived; nil makes an empty one.
	Restore *Restore
	// Pair joins the Cluster to that of another site; nil when there is none.
	Pair *Pair
}

// Timings of a change of primary, in seconds.
const (
	// smartShutdown of 0: a stale primary would otherwise go on serving the
	// sessions it has, for minutes after a partition.
	smartShutdown = 0
	// stopDelay bounds how long an instance takes to stop.
	stopDelay = 60
	// switchoverDelay bounds how long a primary takes to step down.
	switchoverDelay = 60
)

// Cluster is the PostgreSQL of a service: a commit is acknowledged once the
// primary and one standby have it on disk, whatever is lost then, and a standby
// is promoted only if it is known to hold every such commit.
func Cluster(a Args) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"description":               "PostgreSQL of " + a.Namespace + "/" + a.Name,
			"imageName":                 string(a.Spec.Image),
			"instances":                 int64(a.Spec.Members()),
			"bootstrap":                 bootstrap(a),
			"storage":                   storage(a.Spec.Storage),
			"resources":                 resources(a.Spec.Resources),
			"postgresql":                postgresql(a),
			"managed":                   managed(a),
			"inheritedMetadata":         map[string]any{"labels": labels(a.Labels)},
			"affinity":                  affinity(a.Topology),
			"topologySpreadConstraints": spread(a),
			// CloudNativePG's own budgets: one for the primary, one for the standbys.
			"enablePDB":             true,
			"enableSuperuserAccess": false,
			"smartShutdownTimeout":  int64(smartShutdown),
			"stopDelay":             int64(stopDelay),
			"switchoverDelay":       int64(switchoverDelay),
			"failoverDelay":         int64(0),
			"primaryUpdateStrategy": "unsupervised",
			// An instance that cannot reach the API steps down: it must not take 45 s, as by
			// the defaults, to notice that the API server behind its connection is gone.
			"env": []any{
				map[string]any{"name": "HTTP2_READ_IDLE_TIMEOUT_SECONDS", "value": "4"},
				map[string]any{"name": "HTTP2_PING_TIMEOUT_SECONDS", "value": "2"},
			},
			// The new primary is up before the old one goes.
			"primaryUpdateMethod": "switchover",
			"seccompProfile":      map[string]any{"type": "RuntimeDefault"},
			"podSecurityContext":  podSecurity(),
		},
	}}
	u.SetGroupVersionKind(GVK)
	u.SetName(a.Name)
	u.SetNamespace(a.Namespace)
	u.SetLabels(maps.Clone(a.Labels))
	if a.Pair != nil {
		a.Pair.join(u, a)
	}
	if a.Restore != nil {
		a.Restore.join(u, a)
	}
	a.archive(u)
	return u
}

func bootstrap(a Args) map[string]any {
	if a.Restore != nil {
		return a.Restore.bootstrap(a)
	}
	return map[string]any{"initdb": map[string]any{
		"database":       a.Database,
		"owner":          a.Owner,
		"dataChecksums":  true,
		"encoding":       "UTF8",
		"localeProvider": "builtin",
		// The same order on every host, whatever its C library.
		"builtinLocale":  "C.UTF-8",
		"locale":         "C.UTF-8",
		"walSegmentSize": int64(walSegment),
	}}
}

func storage(s common.Storage) map[string]any {
	out := map[string]any{"size": s.Size.String(), "resizeInUseVolumes": true}
	if s.StorageClass != "" {
		out["storageClass"] = s.StorageClass
	}
	return out
}

func resources(r common.Resources) map[string]any {
	return map[string]any{
		"requests": map[string]any{"cpu": r.CPU.String(), "memory": r.Memory.String()},
		"limits":   map[string]any{"memory": r.Memory.String()},
	}
}

func affinity(t common.Topology) map[string]any {
	return map[string]any{
		"enablePodAntiAffinity": true,
		"podAntiAffinityType":   "required",
		"topologyKey":           t.HostKey,
		"tolerations":           []any{stays("node.kubernetes.io/not-ready"), stays("node.kubernetes.io/unreachable")},
	}
}

// stays keeps an instance on a host with the taint, however long. Its volume is there and
// nowhere else, so it could not run elsewhere; and a host whose link comes back would find the
// pod given up, and end it in the middle of pg_rewind, which no later one can go on from. A
// failover does not wait for it, and a fence, by another taint, releases it.
func stays(taint string) map[string]any {
	return map[string]any{"key": taint, "operator": "Exists", "effect": "NoExecute"}
}

// postgresGroup is what CloudNativePG runs PostgreSQL as, and the volumes' group.
const postgresGroup = 26

// podSecurity is CloudNativePG's own, which this replaces, but for how soon TCP asks whether
// the other side is still there. The receiver of a standby waits without limit for the first
// word of a primary that it connects to: had that one's kernel acknowledged the connection
// before its host went, there would be nothing to repeat and so nothing to give up. It knows
// no time-out of its own then. Ten seconds of silence end the connection, rather than two hours.
func podSecurity() map[string]any {
	sysctl := func(name, value string) any {
		return map[string]any{"name": "net.ipv4.tcp_keepalive_" + name, "value": value}
	}
	return map[string]any{
		"runAsNonRoot": true, "fsGroup": int64(postgresGroup),
		"sysctls": []any{sysctl("time", "4"), sysctl("intvl", "2"), sysctl("probes", "3")},
	}
}

// spread keeps racks equally full. With fewer than three racks no more than one
// instance goes into each: better one fewer than two that fall together.
func spread(a Args) []any {
	return []any{map[string]any{
		"topologyKey":       a.Topology.RackKey,
		"maxSkew":           int64(1),
		"minDomains":        int64(3),
		"whenUnsatisfiable": "DoNotSchedule",
		"labelSelector": map[string]any{"matchLabels": map[string]any{
			ClusterLabel: a.Name, RoleLabel: RoleInstance,
		}},
	}}
}

func postgresql(a Args) map[string]any {
	out := map[string]any{
		"parameters": parameters(a),
		"pg_hba": []any{
			// First match wins: nothing in clear text, whatever follows.
			"hostnossl all all all reject",
			fmt.Sprintf("hostssl %s %s all scram-sha-256", a.Database, a.Owner),
			"hostssl all all all reject",
		},
		"synchronous": synchronous(a.Pair),
	}
	if a.Pair != nil {
		out["pg_hba"] = slices.Insert(out["pg_hba"].([]any), 1, any(fmt.Sprintf("hostssl %s %s all cert map=%[2]s", a.Database, SiteReader)))
		out["pg_ident"] = []any{fmt.Sprintf("%s %s %[1]s", SiteReader, replicationUser)}
	}
	return out
}

// managed keeps the owner's rights as they are meant: the program tells who follows its primary,
// which PostgreSQL shows to none but this role.
func managed(a Args) map[string]any {
	role := map[string]any{
		"name": a.Owner, "ensure": "present", "login": true, "inherit": true, "connectionLimit": int64(-1),
		"inRoles": []any{"pg_read_all_stats"},
	}
	if a.Pair != nil {
		// Each site has a password of its own, and what the site that was left had set comes with its log. A role that
		// is managed with its password gets this site's again.
		role["passwordSecret"] = map[string]any{"name": UserSecret(a.Name)}
		return map[string]any{"roles": []any{role, map[string]any{
			"name": SiteReader, "ensure": "present", "login": true, "inherit": true, "connectionLimit": int64(siteReaders),
			"inRoles": []any{"pg_read_all_data"},
		}}}
	}
	return map[string]any{"roles": []any{role}}
}

func labels(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
