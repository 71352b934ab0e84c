// SPDX-License-Identifier: Apache-2.0

// Package environments is the typed form of one environment's configuration:
// what stands under `spine:environment` in a Pulumi.<stack>.yaml of this
// folder. It is pure: it reads no file and contacts no host.
package environments

// Kind names what an environment is built of; it stands under `spine:kind`.
type Kind string

const (
	// KindBaremetalSite is one site of machines reached by SSH: Environment.
	KindBaremetalSite Kind = "baremetal-site"
	// KindAWS is an environment in an account of AWS: Cloud.
	KindAWS Kind = "aws"
)

// Role is what a host does in the cluster.
type Role string

const (
	// RoleControlPlane hosts run the API, the controllers and one etcd member.
	// They take ordinary pods as well.
	RoleControlPlane Role = "ControlPlane"
	// RoleWorker hosts run pods only.
	RoleWorker Role = "Worker"
)

// CNI is a choice of pod network.
type CNI string

const (
	// CNIKubeRouter routes pod networks between hosts of one subnet and enforces
	// NetworkPolicy. Its manifests are built in.
	CNIKubeRouter CNI = "kube-router"
	// CNICustom installs the manifests that the environment names.
	CNICustom CNI = "custom"
)

// Environment describes one bare-metal site and the cluster on it.
type Environment struct {
	// name is the environment's name: a DNS label of at most 20 characters.
	// It names the cluster, so it cannot be changed later.
	Name string `json:"name"`
	// purpose says what the environment is for, in at most 160 characters.
	Purpose string `json:"purpose"`
	// owner is the team that answers for the environment: a DNS label.
	Owner string `json:"owner"`
	// class is what kind of environment it is: Live, Recovery, Assurance, Test, Training or
	// Development. Services of Live and Recovery do not sleep. Default Live.
	Class Class `json:"class"`
	// site says where the hosts stand.
	Site Site `json:"site"`
	// ssh says how hosts are reached.
	SSH SSH `json:"ssh"`
	// hosts are the machines, 1 to 100.
	Hosts []Host `json:"hosts"`
	// endpoint is where the Kubernetes API answers.
	Endpoint Endpoint `json:"endpoint"`
	// edge is where traffic from outside enters.
	Edge Edge `json:"edge"`
	// registry is where the site gets its images from.
	Registry Registry `json:"registry"`
	// kubernetes says which version runs and in which address ranges.
	Kubernetes Kubernetes `json:"kubernetes"`
	// network is the pod network.
	Network Network `json:"network"`
	// storage is the local persistent volumes.
	Storage Storage `json:"storage"`
	// timings say how fast a failure is noticed.
	Timings Timings `json:"timings"`
	// operations are the rules of recovery operations.
	Operations Operations `json:"operations"`
	// management says how the hosts' BMCs are reached; without it no host is fenced
	// or returned by the site's manager.
	Management *Management `json:"management"`
	// messaging is the messaging service; omit it for a site without.
	Messaging *Messaging `json:"messaging"`
	// booking is the booking service; omit it for a site without. It needs
	// messaging.
	Booking *Booking `json:"booking"`
	// backups say where databases are archived; omit it for a site whose databases are not.
	Backups *Backups `json:"backups"`
	// pair makes it one of two sites; omit it for a site alone.
	Pair *Pair `json:"pair"`
	// waivers let named resources pass rules for a time, at most 64.
	Waivers []Waiver `json:"waivers"`
}

// Site is the place.
type Site struct {
	// name becomes the nodes' topology.kubernetes.io/region: a DNS label of at
	// most 20 characters.
	Name string `json:"name"`
	// subnet is the IPv4 network that all hosts and shared addresses are in.
	Subnet string `json:"subnet"`
	// interface is the network interface of every host on that subnet, 1 to 15
	// characters.
	Interface string `json:"interface"`
	// nameservers are IPv4 addresses that answer for names outside the cluster,
	// at most 3. Default none: only names of the cluster are known in it.
	Nameservers []string `json:"nameservers"`
}

// SSH says how the hosts are reached.
type SSH struct {
	// user to log in as; it needs root's rights. Default root.
	User string `json:"user"`
	// port of sshd, 1 to 65535. Default 22.
	Port int `json:"port"`
	// identityFile is the private key; "~/" is the home of whoever runs Pulumi.
	// Default: the keys of the SSH agent.
	IdentityFile string `json:"identityFile"`
	// knownHostsFile holds the keys of hosts that have no hostKey of their own.
	KnownHostsFile string `json:"knownHostsFile"`
}

// Host is one machine.
type Host struct {
	// name becomes the node's name: a DNS label.
	Name string `json:"name"`
	// address is its IPv4 address on the site's subnet.
	Address string `json:"address"`
	// rack becomes the node's topology.kubernetes.io/zone: a DNS label.
	Rack string `json:"rack"`
	// role is ControlPlane or Worker.
	Role Role `json:"role"`
	// hostKey is its public SSH key, "ssh-ed25519 AAAA...". Default: the line of
	// ssh.knownHostsFile for its address.
	HostKey string `json:"hostKey"`
	// bmc is its management controller; omit it when it has none.
	BMC *BMC `json:"bmc"`
	// requirements are checked before anything is changed.
	Requirements Requirements `json:"requirements"`
}

// BMC is a Redfish management controller.
type BMC struct {
	// address is its IPv4 address; it answers on port 443.
	Address string `json:"address"`
	// certificateSHA256 is the fingerprint of its certificate, in hexadecimal; that
	// one is believed, whoever issued it. Default: one that management.caFile issued.
	CertificateSHA256 string `json:"certificateSHA256"`
}

// Requirements are the least that a host must have.
type Requirements struct {
	// cpus is a count, 1 to 1024. Default 2, which kubeadm asks for as well.
	CPUs int `json:"cpus"`
	// memoryMiB is 1700 (kubeadm's own minimum) to 16777216. Default 4096.
	MemoryMiB int `json:"memoryMiB"`
	// diskGiB is free space for images, volumes and etcd, 1 to 1048576. Default 5.
	DiskGiB int `json:"diskGiB"`
}

// Endpoint is the address of the Kubernetes API.
type Endpoint struct {
	// name is a DNS name that hosts map to the address; it is in the API's
	// certificate. It cannot be changed later.
	Name string `json:"name"`
	// address is an IPv4 address on the site's subnet that moves to a host whose
	// API is alive. No host may have it as its own.
	Address string `json:"address"`
}

// Edge is the entry point for traffic from outside.
type Edge struct {
	// address is an IPv4 address on the site's subnet that moves to a host whose
	// entry point is alive. No host may have it as its own.
	Address string `json:"address"`
}

// Registry is the site's image registry.
type Registry struct {
	// host is its name or address with a port: "10.90.0.1:5000".
	Host string `json:"host"`
	// repository is the folder of all images in it. Default spine.
	Repository string `json:"repository"`
	// mirrors are further registries, in the order in which they are tried; at
	// most 8.
	Mirrors []string `json:"mirrors"`
	// caFile is the PEM file of the authority that hosts should trust for it;
	// "~/" is the home of whoever runs Pulumi. Default: what hosts already trust.
	CAFile string `json:"caFile"`
}

// Kubernetes says which version runs, and where.
type Kubernetes struct {
	// version is an exact release: "v1.36.3". Raise it by one minor at a time.
	Version string `json:"version"`
	// podCIDR is the IPv4 range of pods; every host takes a /24 of it. Default
	// 10.244.0.0/16. It cannot be changed later.
	PodCIDR string `json:"podCIDR"`
	// serviceCIDR is the IPv4 range of services, /12 to /24. Default
	// 10.96.0.0/16. It cannot be changed later.
	ServiceCIDR string `json:"serviceCIDR"`
	// dnsDomain is the domain of services. Default cluster.local.
	DNSDomain string `json:"dnsDomain"`
}

// Network chooses the pod network.
type Network struct {
	// cni is kube-router or custom. Default kube-router.
	CNI CNI `json:"cni"`
	// manifests are files of Kubernetes objects, from the project's folder, at
	// most 16; for cni custom only. "{{image "name:tag"}}" in them becomes the
	// image's address by digest, "{{.PodCIDR}}" the range of pods.
	Manifests []string `json:"manifests"`
	// images are the names and tags that those manifests use, at most 16; for cni
	// custom only.
	Images []string `json:"images"`
}

// Storage is where persistent volumes are kept.
type Storage struct {
	// path is an absolute path on every host. Default /var/lib/spine-volumes.
	Path string `json:"path"`
}

// Timings say how fast failures are noticed. Shorter is faster and more easily
// fooled by a busy machine.
type Timings struct {
	// etcdHeartbeatMs is milliseconds between signs of life of etcd's leader, 50
	// to 1000. Default 150.
	EtcdHeartbeatMs int `json:"etcdHeartbeatMs"`
	// etcdElectionMs is milliseconds of silence until etcd elects another leader,
	// 5 to 50 heartbeats. Default 1500.
	EtcdElectionMs int `json:"etcdElectionMs"`
	// nodeMonitorGraceSeconds is how long a silent node counts as ready, 4 to
	// 300; nodes report every 2 s. Default 8.
	NodeMonitorGraceSeconds int `json:"nodeMonitorGraceSeconds"`
	// leaseSeconds is the silence after which another controller manager or
	// scheduler takes over, 4 to 60. It adds to nodeMonitorGraceSeconds when both
	// are lost at once. Default 8.
	LeaseSeconds int `json:"leaseSeconds"`
	// evictionSeconds is how long pods stay bound to a lost node, 1 to 3600.
	// Default 30.
	EvictionSeconds int `json:"evictionSeconds"`
}
