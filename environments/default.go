// SPDX-License-Identifier: Apache-2.0

package environments

// Default fills in what was left out; empty text and zero count as left out.
func (e *Environment) Default() {
	text((*string)(&e.Class), string(ClassLive))
	text(&e.SSH.User, "root")
	number(&e.SSH.Port, 22)
	for i := range e.Hosts {
		r := &e.Hosts[i].Requirements
		number(&r.CPUs, 2)
		number(&r.MemoryMiB, 4096)
		number(&r.DiskGiB, 5)
	}
	text(&e.Registry.Repository, "spine")
	text(&e.Kubernetes.PodCIDR, "10.244.0.0/16")
	text(&e.Kubernetes.ServiceCIDR, "10.96.0.0/16")
	text(&e.Kubernetes.DNSDomain, "cluster.local")
	if e.Network.CNI == "" {
		e.Network.CNI = CNIKubeRouter
	}
	text(&e.Storage.Path, "/var/lib/spine-volumes")
	number(&e.Timings.EtcdHeartbeatMs, 150)
	number(&e.Timings.EtcdElectionMs, 1500)
	number(&e.Timings.NodeMonitorGraceSeconds, 8)
	number(&e.Timings.LeaseSeconds, 8)
	number(&e.Timings.EvictionSeconds, 30)
	e.Operations.setDefaults()
	e.Management.setDefaults()
	e.Messaging.setDefaults()
	e.Booking.setDefaults()
	e.Backups.setDefaults()
	e.Pair.setDefaults()
}

func text(v *string, byDefault string) {
	if *v == "" {
		*v = byDefault
	}
}

func number(v *int, byDefault int) {
	if *v == 0 {
		*v = byDefault
	}
}
