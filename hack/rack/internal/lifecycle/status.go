// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/child"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/objectstore"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
	"spine.nhs.uk/controlplane/hack/rack/internal/registry"
)

// sshGlance bounds the look whether a host's sshd answers.
const sshGlance = 300 * time.Millisecond

// Status is how a rack stands, in the form of `rack status -o json`.
type Status struct {
	Rack string `json:"rack"`
	// Up says that the rack was brought up; nothing below Sites is set otherwise.
	Up     bool   `json:"up"`
	Folder string `json:"folder"`
	// SSHKey, KnownHosts, CA and BMCPassword are files to reach hosts, BMCs, registries and object
	// stores with.
	SSHKey      string            `json:"sshKey"`
	KnownHosts  string            `json:"knownHosts"`
	CA          string            `json:"ca"`
	BMCUser     string            `json:"bmcUser"`
	BMCPassword string            `json:"bmcPassword"`
	Daemon      DaemonStatus      `json:"daemon"`
	Registry    RegistryStatus    `json:"registry"`
	ObjectStore ObjectStoreStatus `json:"objectStore"`
	Sites       []SiteStatus      `json:"sites"`
	Hosts       []HostStatus      `json:"hosts"`
	Partitions  []network.Cut     `json:"partitions"`
}

// DaemonStatus tells about the process that serves BMCs, registries and object stores.
type DaemonStatus struct {
	Running bool `json:"running"`
	PID     int  `json:"pid,omitempty"`
}

// RegistryStatus tells how images get in; hosts read them from each site's Registry.
type RegistryStatus struct {
	// Push is the loopback address and port that takes pushes over plain HTTP, empty if none runs.
	Push string `json:"push"`
}

// ObjectStoreStatus tells how to use the rack's object store, at each site's ObjectStore.
type ObjectStoreStatus struct {
	// Credentials is a file with accessKey and secretKey, in JSON.
	Credentials string `json:"credentials"`
}

// SiteStatus is one site's network.
type SiteStatus struct {
	Name    string `json:"name"`
	Subnet  string `json:"subnet"`
	Gateway string `json:"gateway"`
	Bridge  string `json:"bridge"`
	// Registry is the address and port of the site's read-only registry, with TLS by CA.
	Registry string `json:"registry"`
	// ObjectStore is the address and port at which the site reaches the rack's object store,
	// which speaks S3 with TLS by CA.
	ObjectStore string `json:"objectStore"`
	// Bucket in it that is the site's own, there from the start.
	Bucket string `json:"bucket"`
}

// HostStatus is one host.
type HostStatus struct {
	Name      string `json:"name"`
	Site      string `json:"site"`
	Rack      string `json:"rack"`
	Address   string `json:"address"`
	BMC       string `json:"bmc"`
	MemoryMiB int    `json:"memoryMiB"`
	Autostart bool   `json:"autostart"`
	// Power is Off, Starting or On, as the kernel shows it.
	Power machine.State `json:"power"`
	// SSH says that the host's sshd takes connections.
	SSH bool `json:"ssh"`
	// MachineID is the host's machine id; its BMC shows it as the system's UUID.
	MachineID string `json:"machineID,omitempty"`
}

// Status looks at the rack; it changes nothing.
func (r *Rack) Status(ctx context.Context, bmcUser string) (Status, error) {
	f := r.Folder
	s := Status{
		Rack: r.Def.Name, Up: r.Exists, Folder: string(f), SSHKey: f.SSHKey(), KnownHosts: f.KnownHosts(),
		CA: f.CACert(), BMCUser: bmcUser, BMCPassword: f.BMCPassword(), Partitions: []network.Cut{},
		ObjectStore: ObjectStoreStatus{Credentials: f.ObjectStore()},
	}
	for _, site := range r.Def.Sites {
		s.Sites = append(s.Sites, SiteStatus{
			Name: site.Name, Subnet: site.Subnet, Gateway: site.Gateway().String(), Bridge: site.Bridge,
			Registry:    net.JoinHostPort(site.Gateway().String(), fmt.Sprint(registry.Port)),
			ObjectStore: net.JoinHostPort(site.Gateway().String(), fmt.Sprint(objectstore.Port)),
			Bucket:      objectstore.Bucket(site.Name, len(r.Def.Sites)),
		})
	}
	s.Hosts = r.hostStatus(ctx)
	if !r.Exists {
		return s, nil
	}
	if record, alive := proc.Read(f.DaemonPID()); alive {
		s.Daemon = DaemonStatus{Running: true, PID: record.PID}
		if port, err := child.ReadPort(f.RegistryPort()); err == nil {
			s.Registry.Push = net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
		}
	}
	// Reading packet filters needs root; the rest of the status does not.
	if os.Geteuid() == 0 {
		cuts, err := network.Cuts(ctx, r.Def)
		if err != nil {
			return s, err
		}
		s.Partitions = append(s.Partitions, cuts...)
	}
	return s, nil
}

func (r *Rack) hostStatus(ctx context.Context) []HostStatus {
	machines := r.Machines()
	out := make([]HostStatus, len(machines))
	var wg sync.WaitGroup
	for i, m := range machines {
		wg.Go(func() {
			h := HostStatus{
				Name: m.Host.Name, Site: m.Site.Name, Rack: m.Host.Rack, Address: m.Host.Address, BMC: m.Host.BMC,
				MemoryMiB: m.Host.MemoryMiB, Autostart: m.Host.Starts(), Power: m.State(),
			}
			if id, err := m.ID(); err == nil {
				h.MachineID = id
			}
			h.SSH = h.Power == machine.On && answers(ctx, m.Host.Address)
			out[i] = h
		})
	}
	wg.Wait()
	return out
}

func answers(ctx context.Context, address string) bool {
	d := net.Dialer{Timeout: sshGlance}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, "22"))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
