// SPDX-License-Identifier: Apache-2.0

package loopback

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Program is one of the services' programs, run as a process of its own.
type Program struct {
	path string
	args []string
	env  []string
	log  string
	// ready is the URL that answers 200 when it serves.
	ready   string
	client  *http.Client
	process *os.Process
	ended   chan struct{}
}

const (
	readyLimit = 60 * time.Second
	readyPoll  = 50 * time.Millisecond
	stopLimit  = 140 * time.Second
)

// program is one of the site's; ops is the base URL of its port for the platform.
func (s *Site) program(path, log, ops string, args ...string) *Program {
	roots := x509.NewCertPool()
	roots.AddCert(s.platform.certificate)
	conf := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
	return &Program{path: path, args: args, env: s.options.Environment, log: log, ready: ops + "/readyz", client: client}
}

// Start runs the program and waits until it is ready, at most a minute.
func (p *Program) Start(ctx context.Context) error {
	if p.process != nil {
		return fmt.Errorf("%s runs already", p.path)
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(p.path, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ended, started := make(chan struct{}), make(chan error)
	go func() {
		// The kernel takes the end of the starting thread for the parent's.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.process, p.ended = cmd.Process, ended
	return p.wait(ctx)
}

func (p *Program) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		err := p.ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			p.process = nil
			return fmt.Errorf("%s ended as it started; see %s", p.path, p.log)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s is not ready after %s: %w; see %s", p.path, readyLimit, err, p.log), p.Kill())
		case <-time.After(readyPoll):
		}
	}
}

func (p *Program) ask(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.ready, nil)
	if err != nil {
		return err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	return nil
}

// Kill ends the program at once, as a lost host does.
func (p *Program) Kill() error { return p.end(syscall.SIGKILL) }

// Stop lets the program drain, and kills it when that takes too long.
func (p *Program) Stop() error { return p.end(syscall.SIGTERM) }

func (p *Program) end(signal syscall.Signal) error {
	if p.process == nil {
		return nil
	}
	if err := p.process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		if err := p.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-p.ended
	}
	p.process = nil
	return nil
}
