// SPDX-License-Identifier: Apache-2.0

// Package daemon is the one background process of a rack: it serves the BMC of each host, and
// the registry and the object store of each site. Machines do not depend on it.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/bmc"
	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
	"spine.nhs.uk/controlplane/hack/rack/internal/objectstore"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
	"spine.nhs.uk/controlplane/hack/rack/internal/registry"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

const (
	// BMCUser is the account of every BMC.
	BMCUser = "admin"
	// bmcPort is the port of every BMC.
	bmcPort = 443
	// headerLimit bounds how long a client may take to send a request's head.
	headerLimit = 10 * time.Second
)

// Daemon serves one rack.
type Daemon struct {
	Rack    spec.Rack
	Folder  paths.Rack
	Cache   string
	Cgroups cgroup.System
	Log     *slog.Logger
}

// Run serves until ctx ends or a listener fails.
func (d *Daemon) Run(ctx context.Context) error {
	service := cgroup.Group{System: d.Cgroups, Name: d.Rack.ServiceCgroup()}
	if err := service.Create(0); err != nil {
		return err
	}
	if err := service.Enter(os.Getpid()); err != nil {
		return err
	}
	ca, err := pki.LoadCA(d.Folder.CACert(), d.Folder.CAKey())
	if err != nil {
		return err
	}
	password, err := os.ReadFile(d.Folder.BMCPassword())
	if err != nil {
		return err
	}
	account := bmc.Account{User: BMCUser, Password: strings.TrimSpace(string(password))}

	group, ctx := errgroup.WithContext(ctx)
	for _, m := range machine.All(d.Rack, d.Folder, d.Cgroups) {
		host, err := describe(m)
		if err != nil {
			return err
		}
		handler := bmc.New(host, power{m}, account, time.Now, d.Log)
		d.serve(ctx, group, ca, "BMC of host "+m.Host.Name, netip.MustParseAddr(m.Host.BMC), bmcPort, handler)
	}
	images := registry.Child(d.Folder, d.Cache, os.Stderr, d.Log)
	var buckets []string
	for _, s := range d.Rack.Sites {
		buckets = append(buckets, objectstore.Bucket(s.Name, len(d.Rack.Sites)))
	}
	objects := objectstore.Child(d.Folder, buckets, d.Cache, os.Stderr, d.Log)
	group.Go(func() error { images.Run(ctx); return nil })
	group.Go(func() error { objects.Run(ctx); return nil })
	for _, s := range d.Rack.Sites {
		d.serve(ctx, group, ca, "registry of site "+s.Name, s.Gateway(), registry.Port, registry.Front(images.Address, d.Log))
		d.serve(ctx, group, ca, "object store of site "+s.Name, s.Gateway(), objectstore.Port, objectstore.Front(objects.Address, d.Log))
	}
	d.Log.Info("serving", "rack", d.Rack.Name, "pid", os.Getpid())
	return group.Wait()
}

// serve answers HTTPS at one address until ctx ends.
func (d *Daemon) serve(ctx context.Context, group *errgroup.Group, ca *pki.CA, name string, addr netip.Addr, port int, handler http.Handler) {
	group.Go(func() error {
		cert, err := ca.Server(name, addr, time.Now())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var lc net.ListenConfig
		listener, err := lc.Listen(ctx, "tcp4", net.JoinHostPort(addr.String(), strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		server := &http.Server{
			Handler: handler, ReadHeaderTimeout: headerLimit,
			TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}},
			ErrorLog:  slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug),
		}
		stop := context.AfterFunc(ctx, func() { server.Close() })
		defer stop()
		if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

func describe(m machine.Machine) (bmc.Host, error) {
	id, err := m.ID()
	if err != nil {
		return bmc.Host{}, err
	}
	uuid := strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
	return bmc.Host{
		Name: m.Host.Name, Rack: m.Host.Rack, Site: m.Site.Name, UUID: uuid,
		MemoryMiB: m.Host.MemoryMiB, Processors: runtime.NumCPU(),
	}, nil
}

// Record is what Run's process is recorded as: program is a digest of the binary and the
// definition that it serves.
func Record(folder paths.Rack, program string) error {
	r, err := proc.Of(os.Getpid())
	if err != nil {
		return err
	}
	r.Program = program
	return r.Write(folder.DaemonPID())
}
