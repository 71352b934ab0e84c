// SPDX-License-Identifier: Apache-2.0

// Package site drives a whole site on the virtual rack for the end-to-end suite and the benchmarks, by the commands
// that its users type. Each site has a rack, a stack and a home folder of its own, so it meets nobody else's.
package site

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Site is the stack called Name, and its rack.
type Site struct {
	Name       string
	Rack       string // the rack's name: Name, unless sites share it
	Root       string // the checkout
	Home       string // SPINE_HOME
	ConfigFile string // the stack's config, derived from environments/Pulumi.local.yaml
	// Services keeps messaging and booking in the config. Without, the stack is the site alone.
	Services bool
	Log      io.Writer
	env      []string
}

// New prepares a site in folder home, which must outlast it; root is the checkout. It starts nothing.
// The rack's definition is hack/rack/racks/<name>.yaml.
func New(ctx context.Context, root, home, name string, log io.Writer) (*Site, error) {
	s := &Site{Name: name, Rack: name, Root: root, Home: home, ConfigFile: filepath.Join(home, "Pulumi."+name+".yaml"), Log: log}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s, s.Configure(func(Environment) {})
}

// Existing is the site of a stack with a config of its own in environments/, on a rack that other stacks may share.
func Existing(ctx context.Context, root, home, name, rack string, log io.Writer) (*Site, error) {
	s := &Site{Name: name, Rack: rack, Root: root, Home: home, ConfigFile: filepath.Join(root, "environments", "Pulumi."+name+".yaml"), Log: log}
	return s, s.open(ctx)
}

// open makes the folder and reads the site's environment.
func (s *Site) open(ctx context.Context) error {
	if err := os.MkdirAll(s.Home, 0o700); err != nil {
		return err
	}
	s.env = append(os.Environ(), "SPINE_HOME="+s.Home)
	out, err := s.Run(ctx, "go", "run", "./hack/local", "env", "--stack", s.Name)
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if !ok {
			return fmt.Errorf("`local env` printed %q, which is no assignment", line)
		}
		s.env = append(s.env, key+"="+strings.ReplaceAll(strings.Trim(value, `"`), "$PATH", os.Getenv("PATH")))
	}
	return nil
}

// Command is a command with the site's environment; an ended ctx interrupts it as Ctrl-C would.
func (s *Site) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	// The site's own PATH decides which program it is, not this process's.
	for _, v := range s.env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			for _, dir := range filepath.SplitList(path) {
				if p := filepath.Join(dir, name); isExecutable(p) {
					name = p
					break
				}
			}
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = s.Root, s.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	return cmd
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Run runs a command and returns what it printed on both outputs, which also goes to the log. The error ends with the
// last lines of that.
func (s *Site) Run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := s.Command(ctx, name, args...)
	var out bytes.Buffer
	fmt.Fprintf(s.Log, "$ %s %s\n", name, strings.Join(args, " "))
	cmd.Stdout = io.MultiWriter(&out, s.Log)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(out.String(), 40))
	}
	return out.String(), nil
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Up is `make up`, Down is `make down`.
func (s *Site) Up(ctx context.Context) error {
	_, err := s.Run(ctx, "go", "run", "./hack/local", "up", "--stack", s.Name, "--config-file", s.ConfigFile)
	return err
}

func (s *Site) Down(ctx context.Context) error {
	_, err := s.Run(ctx, "go", "run", "./hack/local", "down", "--stack", s.Name, "--config-file", s.ConfigFile)
	return err
}

// Pulumi runs plain pulumi on the site's stack, for example Pulumi(ctx, "up", "--yes").
func (s *Site) Pulumi(ctx context.Context, args ...string) (string, error) {
	return s.Run(ctx, "pulumi", append(args, "--stack", s.Name, "--config-file", s.ConfigFile, "--non-interactive")...)
}

// SSH runs a shell script on a host, as root.
func (s *Site) SSH(ctx context.Context, host, script string) (string, error) {
	return s.Run(ctx, "rack", "ssh", "--rack", s.Rack, host, script)
}

// PowerOn and PowerOff go through the host's BMC; off is a power cut, not a shutdown.
func (s *Site) PowerOn(ctx context.Context, host string) error {
	_, err := s.Run(ctx, "rack", "power", "on", host, "--rack", s.Rack)
	return err
}

func (s *Site) PowerOff(ctx context.Context, host string) error {
	_, err := s.Run(ctx, "rack", "power", "off", host, "--rack", s.Rack)
	return err
}

// PushImages builds the images of a Kubernetes version other than the default and puts them into the rack's registry.
// It leaves the default's alone there.
func (s *Site) PushImages(ctx context.Context, version string) error {
	registry, err := s.registry(ctx)
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"tools", "build", "kubernetes@" + version},
		{"images", "build", "--kubernetes", version},
		{"images", "push", "--registry", registry, "--plain-http"},
		{"images", "build"},
	} {
		if _, err := s.Run(ctx, args[0], args[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// registry is where images are pushed to.
func (s *Site) registry(ctx context.Context) (string, error) {
	out, err := s.Command(ctx, "rack", "status", "--rack", s.Rack, "-o", "json").Output()
	if err != nil {
		return "", fmt.Errorf("the rack's registry: %w", err)
	}
	var status struct {
		Registry struct {
			Push string `json:"push"`
		} `json:"registry"`
	}
	return status.Registry.Push, json.Unmarshal(out, &status)
}

// Discard removes the site, whatever state it is in, and all that it kept.
func (s *Site) Discard(ctx context.Context) error {
	if _, err := s.Run(ctx, "go", "run", "./hack/local", "down", "--stack", s.Name, "--config-file", s.ConfigFile, "--force"); err != nil {
		return err
	}
	config, err := os.ReadFile(s.ConfigFile)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(s.Home); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Home, 0o700); err != nil {
		return err
	}
	return os.WriteFile(s.ConfigFile, config, 0o600)
}
