// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// double is a provider of anything: it makes what it is asked for, and remembers it.
type double struct {
	pulumirpc.UnimplementedResourceProviderServer
	port int

	mu   sync.Mutex
	made map[string]map[string]any // inputs by name

	// drifts are properties that somebody changed by hand, of whatever has them.
	drifts map[string]any
}

func newDouble(t testing.TB) *double {
	d := &double{made: map[string]map[string]any{}}
	d.port = serve(t, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, d) })
	return d
}

// serve answers on a port until the test ends.
func serve(t testing.TB, with func(*grpc.Server)) int {
	t.Helper()
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init:   func(s *grpc.Server) error { with(s); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(cancel); <-handle.Done })
	return handle.Port
}

func (d *double) created() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name := range d.made {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (d *double) input(name, key string) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.made[name][key]
}

func (d *double) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (d *double) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

func (d *double) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

func (d *double) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

func (d *double) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true}, nil
}

func (d *double) Check(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

func (d *double) Create(_ context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	if r.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: r.GetProperties()}, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made[r.GetName()] = r.GetProperties().AsMap()
	return &pulumirpc.CreateResponse{Id: r.GetName() + "-id", Properties: r.GetProperties()}, nil
}

// inline is a language host for one program, which runs in the test.
type inline struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	program pulumi.RunFunc
}

// serveProgram returns the address at which the engine can run a program.
func serveProgram(t testing.TB, program pulumi.RunFunc) string {
	t.Helper()
	port := serve(t, func(s *grpc.Server) { pulumirpc.RegisterLanguageRuntimeServer(s, &inline{program: program}) })
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func (*inline) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (*inline) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

func (i *inline) Run(ctx context.Context, r *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	run, err := pulumi.NewContext(ctx, pulumi.RunInfo{
		Project: r.GetProject(), Stack: r.GetStack(), Organization: r.GetOrganization(), DryRun: r.GetDryRun(),
		MonitorAddr: r.GetMonitorAddress(), EngineAddr: r.GetArgs()[0], Parallel: 1,
	})
	if err != nil {
		return nil, err
	}
	defer run.Close()
	if err := pulumi.RunWithContext(run, i.program); err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}
