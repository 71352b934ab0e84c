// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"bytes"
	"context"
	_ "embed"
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
	"sync"
	"syscall"
	"time"
)

// Variable names the folder with the engines' root file systems.
const Variable = "SPINE_ENGINES"

// ErrNoEngines says that the engines' root file systems are not known.
var ErrNoEngines = errors.New("the engines are not there: run 'go run ./hack/images engines' as root and set " + Variable + " to the folder that it prints")

const (
	// readyLimit is how long a server may take to answer on a busy machine.
	readyLimit = 90 * time.Second
	// readyPoll is how often it is asked.
	readyPoll = 50 * time.Millisecond
	// stopLimit is how long a server may take to end when asked to.
	stopLimit = 30 * time.Second
	// lastWords is how much of a server's log an error shows, in bytes.
	lastWords = 2000
)

// Options say where a server keeps its data and where it listens.
type Options struct {
	// Dir is the folder for data and log; it is made when it is not there, and
	// belongs to the caller.
	Dir string
	// Port is the port on 127.0.0.1; 0 takes a free one.
	Port int
	// Certificate and Key, in PEM, have the server speak TLS besides. None: it does not.
	Certificate, Key []byte
	// Clients is the authority, in PEM, of clients that PostgreSQL knows by their certificates, and Access and Idents are
	// lines of its pg_hba.conf and pg_ident.conf, before its own.
	Clients        []byte
	Access, Idents []string
}

// Where a server's certificate and key are in its folder.
const (
	certificateFile = "tls.crt"
	keyFile         = "tls.key"
	clientsFile     = "clients.crt"
)

// A Server is one engine on this machine. Its methods are not for use from
// several goroutines at once.
type Server struct {
	// URL is what clients connect to; it stays the same when the server is
	// started again.
	URL string
	// SecurePort is where it speaks TLS on 127.0.0.1; 0 when it does not.
	SecurePort int

	engine  engine
	root    string
	dir     string
	options Options
	cmd     *exec.Cmd
	ended   chan struct{}
}

// An engine is what is different between servers.
type engine interface {
	// prepare runs once, in an empty folder.
	prepare(ctx context.Context, s *Server) error
	// command is the server's program with its arguments and environment.
	command() (args, env []string)
	// user runs it, by number.
	user() int
	// ready asks the server whether it serves.
	ready(ctx context.Context) error
	// stop is the signal that ends it in order.
	stop() syscall.Signal
}

// sandbox prepares the mounts and runs the program; it is on argument $0.
//
//go:embed sandbox.sh
var sandbox string

// start makes a server that has never run, and starts it.
func start(ctx context.Context, name string, options Options, e engine, url string) (*Server, error) {
	root, err := findRoot(name)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{URL: url, engine: e, root: root, dir: dir, options: options}
	fresh := false
	if _, err := os.Stat(s.data()); errors.Is(err, fs.ErrNotExist) {
		fresh = true
		if err := os.MkdirAll(s.data(), 0o700); err != nil {
			return nil, err
		}
		if err := os.Chown(s.data(), e.user(), e.user()); err != nil {
			return nil, err
		}
	}
	if fresh {
		if err := errors.Join(s.certify(), e.prepare(ctx, s)); err != nil {
			return nil, errors.Join(err, os.RemoveAll(s.data()))
		}
	}
	return s, s.Start(ctx)
}

// certify puts certificate and key where the server finds them.
func (s *Server) certify() error {
	if s.options.Certificate == nil {
		return nil
	}
	var errs []error
	for name, content := range map[string][]byte{certificateFile: s.options.Certificate, keyFile: s.options.Key, clientsFile: s.options.Clients} {
		path := filepath.Join(s.data(), name)
		errs = append(errs, os.WriteFile(path, content, 0o600), os.Chown(path, s.engine.user(), s.engine.user()))
	}
	return errors.Join(errs...)
}

// findRoot is the root file system of an engine.
func findRoot(name string) (string, error) {
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("%s runs in a root file system of its own, which takes root: run this with sudo", name)
	}
	dir := os.Getenv(Variable)
	if dir == "" {
		return "", ErrNoEngines
	}
	root, err := filepath.EvalSymlinks(filepath.Join(dir, name))
	if err != nil {
		return "", fmt.Errorf("%w (%s is %q: %w)", ErrNoEngines, Variable, dir, err)
	}
	return root, nil
}

// Start starts a server that was stopped or killed, on the data it left, and
// waits until it answers, at most 90 s.
func (s *Server) Start(ctx context.Context) error {
	if s.cmd != nil {
		return fmt.Errorf("%s runs already", s.URL)
	}
	args, env := s.engine.command()
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	// It outlives ctx, which is for the start only.
	cmd := s.sandboxed(context.WithoutCancel(ctx), env, args...)
	cmd.Stdout, cmd.Stderr = log, log
	ended := make(chan struct{})
	if err := startLocked(cmd, ended); err != nil {
		return err
	}
	s.cmd, s.ended = cmd, ended
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		last := s.engine.ready(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-ended:
			s.cmd = nil
			return fmt.Errorf("the server ended as it started; its last words:\n%s", s.lastWords())
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("the server does not answer (%w: %w); its last words:\n%s", ctx.Err(), last, s.lastWords())
		case <-time.After(readyPoll):
		}
	}
}

// Kill ends all of the server's processes at once, as a power cut would. What
// the machine's page cache holds survives.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.ended
	s.cmd = nil
}

// Stop ends the server in order, and kills it when that takes more than 30 s.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	// An error says that it has ended already.
	_ = s.cmd.Process.Signal(s.engine.stop())
	select {
	case <-s.ended:
	case <-time.After(stopLimit):
	}
	s.Kill()
}

// Wipe kills the server and removes all its data. Start then begins anew.
func (s *Server) Wipe(ctx context.Context) error {
	s.Kill()
	if err := os.RemoveAll(s.data()); err != nil {
		return err
	}
	if err := os.Mkdir(s.data(), 0o700); err != nil {
		return err
	}
	if err := os.Chown(s.data(), s.engine.user(), s.engine.user()); err != nil {
		return err
	}
	return errors.Join(s.certify(), s.engine.prepare(ctx, s))
}

// sandboxed is a command in the engine's root file system, with nothing of this
// machine but the network and the server's own folder.
func (s *Server) sandboxed(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{
		"-c", sandbox, s.root, s.data(), strconv.Itoa(s.engine.user()),
	}, args...)...)
	cmd.Env = append([]string{"HOME=" + inside, "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, env...)
	// As the first process of its namespace it takes all others with it when it
	// ends; and nothing is left running when the test is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	return cmd
}

// inside is where the server finds its folder.
const inside = "/mnt"

func (s *Server) data() string { return filepath.Join(s.dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.dir, "log") }

func (s *Server) lastWords() string {
	data, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-lastWords):])
}

// run runs a command in the sandbox to its end.
func (s *Server) run(ctx context.Context, args ...string) error {
	var output bytes.Buffer
	cmd := s.sandboxed(ctx, nil, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	ended := make(chan struct{})
	if err := startLocked(cmd, ended); err != nil {
		return err
	}
	<-ended
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("%s: %s: %s", args[0], cmd.ProcessState, bytes.TrimSpace(output.Bytes()))
	}
	return nil
}

// startLocked starts a command from a thread that lives until the command ends:
// the kernel takes the end of the starting thread for the parent's.
func startLocked(cmd *exec.Cmd, ended chan<- struct{}) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(ended)
		}
	}()
	return <-started
}

var (
	givenMu sync.Mutex
	given   = map[int]bool{}
)

// FreePort is a port of loopback that nobody listens on, and that this process has not been given before. It lies below
// the ports that a kernel gives to outgoing connections (32768 and above), which would take it before it is listened on.
func FreePort() (int, error) {
	givenMu.Lock()
	defer givenMu.Unlock()
	const lowest, highest = 12000, 32767
	var err error
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest+1)
		if given[port] {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err != nil {
			continue
		}
		given[port] = true
		return port, l.Close()
	}
	return 0, fmt.Errorf("no port of loopback from %d to %d is free: %w", lowest, highest, err)
}
