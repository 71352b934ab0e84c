// SPDX-License-Identifier: Apache-2.0

package database

import (
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

// Pair is a Cluster's part in a database of two sites: one of them is written to, and the
// other's designated primary follows it and feeds its own standbys.
type Pair struct {
	// Site says which site this is and how the other one is reached.
	Site common.SiteSpec
	// Order in force.
	Order common.SiteOrder
	// BothSites: a commit is acknowledged once the other site has it on disk besides.
	BothSites bool
}

// NewPair is nil for a service without a second site. The order must be one that makes sense.
func NewPair(site *common.SiteSpec, order common.SiteOrder, bothSites bool) *Pair {
	if site == nil {
		return nil
	}
	return &Pair{Site: *site, Order: order, BothSites: bothSites && !order.Alone}
}

// replicationUser is the one that CloudNativePG lets in by certificate, for replication only.
const replicationUser = "streaming_replica"

// SiteReader reads, from the other site, what its own database lacks (CompareSites). It has no password: it is let in by
// the certificate that already lets that site copy all of it, and for no more than to read.
const SiteReader = "site_reader"

// siteReaders bounds its connections.
const siteReaders = 4

// Peer is how a program reaches the other site's database as SiteReader, with the files of PeerFiles.
func (p *Pair) Peer(database string) string {
	host := net.JoinHostPort(string(p.Site.Peer.DatabaseHost), strconv.Itoa(int(p.Site.Peer.DatabasePort)))
	return fmt.Sprintf("postgres://%s@%s/%s", SiteReader, host, database)
}

// PeerFiles are the certificate for it, and the authority of its server.
func PeerFiles(cluster string) []corev1.VolumeProjection {
	return []corev1.VolumeProjection{
		restricted.Secret(replicationSecret(cluster), "tls.crt", "tls.key"), restricted.Secret(serverSecret(cluster), "ca.crt"),
	}
}

// follows says that the other site is written to.
func (p *Pair) follows() bool { return p.Order.Role == common.SiteStandby }

// primary is the name of the site that is written to.
func (p *Pair) primary() string {
	if p.follows() {
		return string(p.Site.Peer.Name)
	}
	return string(p.Site.Name)
}

func (p *Pair) join(u *unstructured.Unstructured, a Args) {
	spec := u.Object["spec"].(map[string]any)
	self, peer := string(p.Site.Name), string(p.Site.Peer.Name)
	replica := map[string]any{"self": self, "primary": p.primary(), "source": peer}
	if p.Order.PromotionToken != "" && !p.follows() {
		// It holds the promotion back until everything that the other site wrote is here.
		replica["promotionToken"] = p.Order.PromotionToken
	}
	spec["replica"] = replica
	spec["externalClusters"] = []any{p.peer(a), map[string]any{
		"name": self, "connectionParameters": map[string]any{"host": a.Name + "-rw", "user": replicationUser, "dbname": "postgres"},
	}}
	spec["certificates"] = map[string]any{
		"serverTLSSecret": serverSecret(a.Name), "serverCASecret": serverSecret(a.Name),
		"replicationTLSSecret": replicationSecret(a.Name), "clientCASecret": replicationSecret(a.Name),
	}
	if p.follows() {
		// It says how a Cluster is made, and nothing about one that is there.
		spec["bootstrap"] = map[string]any{"pg_basebackup": map[string]any{"source": peer, "database": a.Database, "owner": a.Owner}}
	}
}

// peer is how the other site's primary is reached. Its log comes under the name of this site,
// by which the other one waits for it.
func (p *Pair) peer(a Args) map[string]any {
	secret := func(name, key string) map[string]any { return map[string]any{"name": name, "key": key} }
	return map[string]any{
		"name": string(p.Site.Peer.Name),
		"connectionParameters": map[string]any{
			"host": string(p.Site.Peer.DatabaseHost), "port": strconv.Itoa(int(p.Site.Peer.DatabasePort)),
			"user": replicationUser, "dbname": "postgres", "sslmode": "verify-full",
			"application_name": string(p.Site.Name),
			// A link that was cut says nothing: it is noticed within 20 s by the reports that nobody confirms.
			// CloudNativePG asks the server with the same words before it copies, by another library than
			// PostgreSQL's: what that one does not know goes to the server as its setting, and it takes no keepalives_.
			"connect_timeout": "10", "tcp_user_timeout": "20000",
		},
		"sslCert":     secret(replicationSecret(a.Name), "tls.crt"),
		"sslKey":      secret(replicationSecret(a.Name), "tls.key"),
		"sslRootCert": secret(serverSecret(a.Name), "ca.crt"),
	}
}

// synchronous says who has to have a commit on disk before it is acknowledged: one standby
// of this site, and the other site's designated primary where both sites must have it.
func synchronous(p *Pair) map[string]any {
	out := map[string]any{
		"method":         "any",
		"number":         int64(1),
		"dataDurability": "required",
		"failoverQuorum": true,
	}
	if p != nil && p.BothSites && !p.follows() {
		// PostgreSQL counts names and knows no "and": two of exactly two are both. CloudNativePG
		// lists the standby that is ready; when it fails, commits wait until another is listed.
		out["number"] = int64(2)
		out["standbyNamesPre"] = []any{string(p.Site.Peer.Name)}
		out["maxStandbyNamesFromCluster"] = int64(1)
	}
	return out
}
