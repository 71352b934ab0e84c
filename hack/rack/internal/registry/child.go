// SPDX-License-Identifier: Apache-2.0

// Package registry is the site registry of a rack: CNCF distribution on a loopback port, and a
// read-only TLS front for it at the site's gateway.
package registry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
)

const (
	// restartPause keeps a registry that dies at once from spinning.
	restartPause = time.Second
	// binaryPoll is how often a registry binary that is not built yet is looked for.
	binaryPoll = time.Second
)

// Child runs the registry process and starts it again whenever it ends.
type Child struct {
	// Folder is the rack's folder, which gets the configuration and the port.
	Folder paths.Rack
	// Binary is the registry program; Storage the folder of its blobs, shared by all racks.
	Binary, Storage string
	// Output takes the registry's log.
	Output io.Writer
	Log    *slog.Logger

	port atomic.Int32
}

// Address is where the process listens, for pushes: a loopback address and port. It is empty
// until the process was started for the first time.
func (c *Child) Address() string {
	if p := c.port.Load(); p != 0 {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p)))
	}
	return ""
}

// Run keeps the process running until ctx ends.
func (c *Child) Run(ctx context.Context) {
	// The kernel ends the child when the thread that started it ends; the thread stays here.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	told := false
	for ctx.Err() == nil {
		if _, err := os.Stat(c.Binary); err != nil {
			if !told {
				c.Log.Warn("no registry binary yet: build it with `go run ./hack/tools build registry`", "path", c.Binary)
				told = true
			}
			pause(ctx, binaryPoll)
			continue
		}
		if err := c.once(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("registry ended, starts again", "error", err)
		}
		pause(ctx, restartPause)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (c *Child) once(ctx context.Context) error {
	port, err := c.choosePort()
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := os.MkdirAll(c.Storage, 0o755); err != nil {
		return err
	}
	config, err := configuration(address, c.Storage)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Folder.RegistryConfig(), config, 0o600); err != nil {
		return err
	}
	if err := writePort(c.Folder.RegistryPort(), port); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.Binary, "serve", c.Folder.RegistryConfig())
	cmd.Stdout, cmd.Stderr = c.Output, c.Output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// Without this the registry looks for a trace collector on this machine.
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := cmd.Start(); err != nil {
		return err
	}
	c.port.Store(int32(port))
	return cmd.Wait()
}

// choosePort takes the former port again if it is free, so that clients need not learn a new one.
func (c *Child) choosePort() (int, error) {
	var first string
	if port, err := ReadPort(c.Folder); err == nil {
		first = strconv.Itoa(port)
	}
	for _, p := range []string{first, "0"} {
		if p == "" {
			continue
		}
		if l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", p)); err == nil {
			defer l.Close()
			return l.Addr().(*net.TCPAddr).Port, nil
		}
	}
	return 0, fmt.Errorf("no free loopback port for the registry")
}

// ReadPort is the loopback port that a rack's registry was last started on.
func ReadPort(folder paths.Rack) (int, error) {
	data, err := os.ReadFile(folder.RegistryPort())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(data)))
}

func writePort(path string, port int) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(strconv.Itoa(port)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// configuration is distribution's configuration file.
func configuration(address, storage string) ([]byte, error) {
	return yaml.Marshal(map[string]any{
		"version": 0.1,
		"log":     map[string]any{"level": "warn", "accesslog": map[string]any{"disabled": true}},
		"storage": map[string]any{
			"filesystem":  map[string]any{"rootdirectory": filepath.Clean(storage)},
			"maintenance": map[string]any{"uploadpurging": map[string]any{"enabled": false}},
		},
		"http": map[string]any{"addr": address, "relativeurls": true, "secret": pki.Token()},
	})
}
