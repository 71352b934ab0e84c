// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/tools/cachedir"
)

// bridge is the test aid that a run without a plugin of its own uses: a plugin over the provider's real code, and an
// emulator. README.md says what it needs.
type bridge struct {
	// folder is the aid's own, provider the file of the Terraform provider, python an interpreter that has moto.
	folder, provider, python string
}

// findBridge says what is missing, all at once.
func findBridge(folder string) (*bridge, error) {
	b := &bridge{folder: folder}
	var errs []error
	if _, err := os.Stat(filepath.Join(folder, "moto_awsbridge.py")); err != nil {
		errs = append(errs, fmt.Errorf("SPINE_AWS_BRIDGE: %w", err))
	}
	if b.provider = findProvider(); b.provider == "" {
		errs = append(errs, errors.New("there is no Terraform AWS provider "+providerVersion+" in the usual folders: set AWSBRIDGE_TF_PROVIDER to its file"))
	}
	if b.python = findPython(); b.python == "" {
		errs = append(errs, errors.New("there is no Python with moto's server: install moto[server] 5.2"))
	}
	return b, errors.Join(errs...)
}

// providerVersion is the release that the plugin is generated from.
const providerVersion = "5.100.0"

// findProvider looks where Terraform and its users keep providers.
func findProvider() string {
	if file := os.Getenv("AWSBRIDGE_TF_PROVIDER"); file != "" {
		return file
	}
	home, _ := os.UserHomeDir()
	for _, root := range []string{os.Getenv("TF_PLUGIN_CACHE_DIR"), filepath.Join(home, ".terraform.d"), "/usr/local/share/terraform", "/usr/share/terraform", "/opt"} {
		found := ""
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasPrefix(d.Name(), "terraform-provider-aws_v"+providerVersion) {
				found = path
				return fs.SkipAll
			}
			return nil // What cannot be read holds nothing for us.
		})
		if err == nil && found != "" {
			return found
		}
	}
	return ""
}

func findPython() string {
	home, _ := os.UserHomeDir()
	others, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions/*/bin/python3"))
	for _, python := range append([]string{"python3", "python"}, others...) {
		if exec.Command(python, "-c", "import moto.server").Run() == nil {
			return python
		}
	}
	return ""
}

// build makes the plugin, in the cache, and returns its folder.
func (b *bridge) build() (string, error) {
	cache, err := cachedir.Root()
	if err != nil {
		return "", err
	}
	into := filepath.Join(cache, "own", "awsbridge")
	cmd := exec.Command("go", "build", "-o", filepath.Join(into, "pulumi-resource-aws"), "./cmd/pulumi-resource-aws")
	cmd.Dir, cmd.Env = b.folder, append(os.Environ(), "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the plugin: %w\n%s", err, out)
	}
	return into, nil
}

// emulator starts an emulator that lasts as long as the test: each environment finds an empty account. It returns what the
// plugin needs to reach it.
func (b *bridge) emulator(t *testing.T) []string {
	t.Helper()
	script, err := filepath.Abs("emulator/emulator.py")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "emulator.log"))
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	cmd := exec.Command(b.python, "-B", script, b.folder, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	cmd.Stdout, cmd.Stderr = log, log
	// It ends with the run, however that ends: the signal comes when the thread goes that started it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		_ = cmd.Wait() // Why it ended is in its log.
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // It may have ended by itself.
		<-ended
		if t.Failed() {
			t.Logf("what went wrong in the emulator:\n%s", faults(log.Name()))
		}
		_ = log.Close()
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	await(t, address, ended, log.Name())
	return []string{
		"AWSBRIDGE_TF_PROVIDER=" + b.provider, "AWSBRIDGE_ENDPOINT=http://" + address,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
	}
}

// await returns when somebody answers at an address; the emulator takes its time on a busy machine.
func await(t *testing.T, address string, ended <-chan struct{}, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	for {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(log)
			t.Fatalf("the emulator ended:\n%s", text)
		case <-ctx.Done():
			t.Fatal("the emulator does not answer")
		case <-tick.C:
		}
	}
}

// freePort is a port that nobody listens on, below those that outgoing connections take.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// faults are the emulator's own failures in its log, which are gaps of it more often than mistakes of ours: the last
// line of each trace, and the calls that it answered with 500.
func faults(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	var out []string
	trace := false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "Traceback"):
			trace = true
		case trace && line != "" && line[0] != ' ':
			out, trace = append(out, line), false
		case strings.Contains(line, `" 500 `), strings.Contains(line, `" 501 `):
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
