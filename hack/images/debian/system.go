// SPDX-License-Identifier: Apache-2.0

package debian

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
)

// A System says what a root file system is made of.
type System struct {
	// Name is for people.
	Name string
	// Suite is the Debian release.
	Suite string
	// Packages are those beyond Debian's essential ones, sorted.
	Packages []string
	// Files are put in place before packages are set up, by path; they decide what
	// the packages do, and may be replaced by them.
	Files map[string]string
	// Excludes are patterns of what packages bring and nobody needs, Includes of what is
	// kept of it. A star stands for slashes, too.
	Excludes, Includes []string
	// Dropped are patterns of what is removed at the end, beside what is removed
	// from every system.
	Dropped []string
	// Users are the numbers that users must have got, by name: volumes and the
	// operators that run these images count on them.
	Users map[string]int
	// Needs are the files without which the system is of no use.
	Needs []string
	// recipe is raised when what is done to the packages changes, what is dropped
	// included.
	recipe string
}

// Hosts is what a site's machines run.
var Hosts = System{
	Name:  "hosts",
	Suite: "bookworm",
	Packages: []string{
		"busybox-static", "ca-certificates", "conntrack", "containerd", "containernetworking-plugins", "curl", "dbus",
		"ethtool", "iproute2", "ipset", "iptables", "keepalived", "kmod", "knot", "less", "nftables",
		"openssh-server", "procps", "runc", "socat", "systemd", "systemd-sysv", "systemd-timesyncd",
	},
	// Services that only run once they are configured are switched off.
	Dropped: []string{
		"etc/systemd/system/*.wants/containerd.service",
		"etc/systemd/system/*.wants/keepalived.service",
		"etc/systemd/system/*.wants/knot.service",
	},
	Needs:  []string{"sbin/init", "usr/sbin/sshd", "usr/bin/containerd", "usr/sbin/keepalived", "usr/sbin/knotd"},
	recipe: "1",
}

// ofImages are patterns of what no image may hold: what differs from one build to
// the next, and keys that would be the same wherever the image runs.
var ofImages = []string{
	"etc/adduser.conf", "etc/adduser-pool", "etc/shadow*", "etc/gshadow*", "etc/*-", "etc/ssl/private/*",
	"etc/ssl/certs/ssl-cert-snakeoil.pem", "var/log/*", "var/cache/*", "var/lib/apt/*",
}

// noServices keeps packages from starting what they bring.
const noServices = "#!/bin/sh\nexit 101\n"

// botocore is where the AWS client of Python has a description of every service.
const botocore = "/usr/lib/python3/dist-packages/botocore/data/"

// PostgreSQL is the image that CloudNativePG runs. Its operator mounts volumes
// for user and group 26, and calls Barman's commands for backups in an object store.
var PostgreSQL = System{
	Name:  "postgresql",
	Suite: "trixie",
	// Barman only suggests the client of the stores that it is used with, and how to compress.
	Packages: []string{"barman-cli-cloud", "ca-certificates", "postgresql-17", "postgresql-client-17", "python3-boto3", "python3-lz4"},
	Files: map[string]string{
		"etc/adduser.conf":                         "UID_POOL=/etc/adduser-pool\nFIRST_SYSTEM_UID=26\n",
		"etc/adduser-pool":                         "postgres:26:PostgreSQL:/var/lib/postgresql:/bin/bash\n",
		"usr/sbin/policy-rc.d":                     noServices,
		"etc/postgresql-common/createcluster.conf": "create_main_cluster = false\n",
	},
	// Compiling queries to machine code takes LLVM, which is larger than all the
	// rest, and our queries are too short to gain by it.
	Excludes: []string{
		"/usr/lib/*/libLLVM*", "/usr/lib/*/libz3.so*", "/usr/lib/llvm-*/*",
		"/usr/lib/postgresql/*/lib/bitcode/*", "/usr/lib/postgresql/*/lib/llvmjit*",
		botocore + "*",
	},
	Includes: []string{
		botocore + "_retry.json", botocore + "endpoints.json", botocore + "partitions.json",
		botocore + "s3/*", botocore + "sdk-default-configuration.json", botocore + "sts/*",
	},
	Dropped: ofImages,
	Users:   map[string]int{"postgres": 26},
	Needs: []string{
		"usr/lib/postgresql/17/bin/postgres", "usr/lib/postgresql/17/bin/initdb", "usr/lib/postgresql/17/bin/pg_rewind",
		"usr/lib/postgresql/17/bin/psql",
		"usr/bin/barman-cloud-backup", "usr/bin/barman-cloud-backup-delete", "usr/bin/barman-cloud-backup-list",
		"usr/bin/barman-cloud-check-wal-archive", "usr/bin/barman-cloud-restore", "usr/bin/barman-cloud-wal-archive",
		"usr/bin/barman-cloud-wal-restore", "usr/lib/python3/dist-packages/boto3/__init__.py",
	},
	recipe: "1",
}

// RabbitMQ is the image that the RabbitMQ cluster operator runs, which gives
// volumes to user and group 999.
var RabbitMQ = System{
	Name:     "rabbitmq",
	Suite:    "trixie",
	Packages: []string{"procps", "rabbitmq-server"},
	Files: map[string]string{
		"etc/adduser.conf":     "UID_POOL=/etc/adduser-pool\nGID_POOL=/etc/adduser-pool\n",
		"etc/adduser-pool":     "rabbitmq:999:RabbitMQ:/var/lib/rabbitmq:/bin/bash\n",
		"usr/sbin/policy-rc.d": noServices,
	},
	// Each cluster gets a cookie of its own, and a name for its nodes.
	Dropped: append(ofImages, "var/lib/rabbitmq/.erlang.cookie", "var/lib/rabbitmq/mnesia", "etc/rabbitmq/rabbitmq-env.conf"),
	Users:   map[string]int{"rabbitmq": 999},
	Needs:   []string{"usr/lib/rabbitmq/bin/rabbitmq-server", "usr/lib/rabbitmq/bin/rabbitmqctl", "usr/bin/epmd", "usr/bin/erl"},
	recipe:  "1",
}

// Dir is where the system's root file system is in the cache, built or not.
func (s System) Dir(cache string) string {
	h := sha256.New()
	for _, part := range append([]string{s.recipe, s.Suite, runtime.GOARCH}, s.Packages...) {
		fmt.Fprintf(h, "%q\n", part)
	}
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		fmt.Fprintf(h, "file %q %q\n", path, s.Files[path])
	}
	for _, pattern := range s.Excludes {
		fmt.Fprintf(h, "exclude %q\n", pattern)
	}
	for _, pattern := range s.Includes {
		fmt.Fprintf(h, "include %q\n", pattern)
	}
	return filepath.Join(cache, "rootfs", hex.EncodeToString(h.Sum(nil))[:16])
}
