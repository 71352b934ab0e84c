// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// sdkModule is the module whose version this host reports as its own.
const sdkModule = "github.com/pulumi/pulumi/sdk/v3"

// host answers the engine's calls.
type host struct {
	// Calls that only code generation and project templates need are left to
	// the embedded server, which says that they do not exist.
	pulumirpc.UnimplementedLanguageRuntimeServer
	// ctx ends with the host.
	ctx context.Context
	// engine is the address of the engine.
	engine string
}

// Handshake has nothing to negotiate.
func (h *host) Handshake(context.Context, *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo names the version of the SDK that this host was built with.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	info := &pulumirpc.PluginInfo{}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == sdkModule {
				info.Version = strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return info, nil
}

// GetRequiredPlugins names none: providers of this project are in its
// repository, declared in Pulumi.yaml, and nothing is downloaded.
func (h *host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// GetRequiredPackages names none, as GetRequiredPlugins does.
func (h *host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// GetProgramDependencies names none: go.mod is the place to read them.
func (h *host) GetProgramDependencies(context.Context, *pulumirpc.GetProgramDependenciesRequest) (*pulumirpc.GetProgramDependenciesResponse, error) {
	return &pulumirpc.GetProgramDependenciesResponse{}, nil
}

// RuntimeOptionsPrompts asks nothing.
func (h *host) RuntimeOptionsPrompts(context.Context, *pulumirpc.RuntimeOptionsRequest) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// InstallDependencies has nothing to do: `go build` fetches what is missing.
func (h *host) InstallDependencies(*pulumirpc.InstallDependenciesRequest, pulumirpc.LanguageRuntime_InstallDependenciesServer) error {
	return nil
}

// About says which Go builds the programs.
func (h *host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("go is not on PATH: %w", err)
	}
	out, err := exec.CommandContext(ctx, path, "env", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("%s env GOVERSION: %w", path, err)
	}
	return &pulumirpc.AboutResponse{Executable: path, Version: strings.TrimSpace(string(out))}, nil
}

// Run runs the Pulumi program in the project's program folder, and reports how
// it ended: an error that it has shown itself is not shown again.
func (h *host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	binary, err := buildIfStale(ctx, req.GetInfo().GetProgramDirectory())
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	env, err := programEnv(os.Environ(), h.engine, req)
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: binary, Args: []string{binary}, Dir: req.GetPwd(), Env: env, Stdout: os.Stdout, Stderr: os.Stderr}
	err = run(ctx, h.ctx, cmd)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == constant.ExitStatusLoggedError:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with: %v", err)}, nil
	}
}

// RunPlugin builds and runs a provider or analyzer whose folder says
// `runtime: go`, and passes on its output; its first line is the port that the
// engine waits for.
func (h *host) RunPlugin(req *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer) error {
	binary, err := buildIfStale(server.Context(), req.GetInfo().GetProgramDirectory())
	if err != nil {
		return err
	}
	// A stream takes one Send at a time; the two outputs are copied by two
	// goroutines.
	var mu sync.Mutex
	send := func(response *pulumirpc.RunPluginResponse) error {
		mu.Lock()
		defer mu.Unlock()
		return server.Send(response)
	}
	cmd := &exec.Cmd{
		Path: binary, Args: append([]string{binary}, req.GetArgs()...), Dir: req.GetPwd(), Env: req.GetEnv(),
		Stdout: writer(func(p []byte) error {
			return send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: p}})
		}),
		Stderr: writer(func(p []byte) error {
			return send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: p}})
		}),
	}
	err = run(server.Context(), h.ctx, cmd)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())}})
	}
	return err
}

// writer makes an io.Writer of a function that sends a piece of output.
type writer func(p []byte) error

func (w writer) Write(p []byte) (int, error) {
	if err := w(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
