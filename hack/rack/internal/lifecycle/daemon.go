// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/objectstore"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
	"spine.nhs.uk/controlplane/hack/rack/internal/registry"
)

// DaemonCommand is the program's hidden command that runs the rack's daemon.
const DaemonCommand = "__daemon"

const (
	daemonPoll  = 50 * time.Millisecond
	daemonLimit = 30 * time.Second
	logTail     = 2 << 10
)

// DaemonProgram is a digest of this program and of the rack's definition: a daemon with
// another one serves something out of date.
func (r *Rack) DaemonProgram() (string, error) {
	h := sha256.New()
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return "", err
	}
	defer exe.Close()
	if _, err := io.Copy(h, exe); err != nil {
		return "", err
	}
	def, err := r.Def.Encode()
	if err != nil {
		return "", err
	}
	h.Write(def)
	return fmt.Sprintf("%x", h.Sum(nil)[:16]), nil
}

// ensureDaemon starts the daemon unless the right one runs, and waits until all BMCs answer.
// It returns whether it had to start one.
func (r *Rack) ensureDaemon(ctx context.Context) (bool, error) {
	program, err := r.DaemonProgram()
	if err != nil {
		return false, err
	}
	record, alive := proc.Read(r.Folder.DaemonPID())
	if alive && record.Program == program {
		return false, r.awaitDaemon(ctx, nil)
	}
	if alive {
		if err := stop(ctx, record); err != nil {
			return false, err
		}
	}
	cmd, err := proc.Background([]string{DaemonCommand, "--rack", r.Def.Name}, r.Folder.DaemonLog(), false)
	if err != nil {
		return false, err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	return true, r.awaitDaemon(ctx, ended)
}

// stop ends a recorded process and waits until it is gone.
func stop(ctx context.Context, record proc.Record) error {
	if err := syscall.Kill(record.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	for record.Alive() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(daemonPoll):
		}
	}
	return nil
}

// awaitDaemon waits until every BMC answers; ended tells that the daemon has given up.
func (r *Rack) awaitDaemon(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, daemonLimit)
	defer cancel()
	client, err := r.httpClient()
	if err != nil {
		return err
	}
	for _, m := range r.Machines() {
		url := "https://" + m.Host.BMC + "/redfish"
		if err := r.await(ctx, client, url, ended); err != nil {
			return fmt.Errorf("BMC of host %s: %w", m.Host.Name, err)
		}
	}
	return nil
}

// service is what the daemon serves at each site's gateway, by a program that may not be built yet.
type service struct {
	// step is its name among the steps of up.
	step, name, tool string
	port             int
	// path answers with 200 once the service is of use.
	path string
}

var (
	registryService    = service{"registry", "registry", registry.Tool, registry.Port, "/v2/"}
	objectStoreService = service{"objects", "object store", objectstore.Tool, objectstore.Port, objectstore.Health}
)

// awaitService waits until a service answers at every site. Without its program there is
// nothing to wait for: it returns false.
func (r *Rack) awaitService(ctx context.Context, service service) (bool, error) {
	if _, err := os.Stat(filepath.Join(r.Cache, "bin", service.tool)); err != nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, daemonLimit)
	defer cancel()
	client, err := r.httpClient()
	if err != nil {
		return false, err
	}
	for _, s := range r.Def.Sites {
		url := "https://" + net.JoinHostPort(s.Gateway().String(), strconv.Itoa(service.port)) + service.path
		if err := r.await(ctx, client, url, nil); err != nil {
			return false, fmt.Errorf("%s of site %s: %w", service.name, s.Name, err)
		}
	}
	return true, nil
}

func (r *Rack) await(ctx context.Context, client *http.Client, url string, ended <-chan struct{}) error {
	for {
		err := get(ctx, client, url)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("the rack's daemon ended: %s", tail(r.Folder.DaemonLog()))
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w (see `rack logs daemon --rack %s`)", url, err, r.Def.Name)
		case <-time.After(daemonPoll):
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answers with %s", resp.Status)
	}
	return nil
}

// httpClient trusts the rack's own authority and goes through no proxy.
func (r *Rack) httpClient() (*http.Client, error) {
	pool, err := pki.Pool(r.Folder.CACert())
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout:   daemonLimit,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true},
	}, nil
}

// tail is the end of a log file in one line.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	text := strings.TrimSpace(string(data[max(0, len(data)-logTail):]))
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}
