// SPDX-License-Identifier: Apache-2.0

package services

import "fmt"

// Pair makes a site one of two, of which one serves and the other one follows it.
type Pair struct {
	// Site is this site's name, and Networks those that its hosts are in.
	Site     string
	Networks []string
	// Role is what services begin as: Active or Standby. Acknowledge is Site or BothSites,
	// Automatic is Never or Automatic.
	Role, Acknowledge, Automatic string
	// Peer is the other site's name, PeerNetworks those that its hosts are in, and
	// PeerEdge its edge's address.
	Peer         string
	PeerNetworks []string
	PeerEdge     string
	// MessagingNames and BookingNames are what clients call the services by, whichever
	// site serves.
	MessagingNames, BookingNames []string
}

// Ports of the edge where the other site comes in: databases and probes.
const (
	LedgerPort       = 5433
	BookingDataPort  = 5434
	MessagingOpsPort = 9443
	BookingOpsPort   = 9445
)

// join puts the sites into the resources of the services, and returns what the manager
// needs besides.
func (p *Pair) join(objects []map[string]any, b *Booking) []map[string]any {
	var paired []map[string]any
	for _, o := range objects {
		name, databasePort, opsPort, names := "", 0, 0, []string(nil)
		switch o["kind"] {
		case "MessagingService":
			name, databasePort, opsPort, names = MessagingName, LedgerPort, MessagingOpsPort, p.MessagingNames
		case "BookingService":
			name, databasePort, opsPort, names = BookingName, BookingDataPort, BookingOpsPort, append(b.HostNames, p.BookingNames...)
		default:
			continue
		}
		spec := o["spec"].(map[string]any)
		spec["acknowledge"] = p.Acknowledge
		spec["exposure"] = map[string]any{"hostNames": names}
		spec["site"] = map[string]any{
			"name": p.Site, "role": p.Role, "networks": p.Networks, "databasePort": databasePort, "opsPort": opsPort,
			"peer": map[string]any{
				"name": p.Peer, "networks": p.PeerNetworks, "databaseHost": p.PeerEdge, "databasePort": databasePort,
			},
		}
		paired = append(paired, map[string]any{
			"kind": o["kind"], "namespace": o["metadata"].(map[string]any)["namespace"], "name": name,
			"peerProbe": fmt.Sprintf("%s:%d", p.PeerEdge, opsPort),
		})
	}
	return []map[string]any{object("resilience.spine.nhs.uk/v1alpha1", "FailoverPolicy", "spine-system", "site", map[string]any{
		"spec": map[string]any{
			"site": p.Site, "peer": p.Peer, "services": paired, "automatic": map[string]any{"mode": p.Automatic},
		},
	})}
}
