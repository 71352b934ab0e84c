// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilienceapi "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/manifests"
)

// Cluster is an API server with etcd and nothing else: no node, no controller. Objects
// stay as they are written, and nothing is collected after its owner.
type Cluster struct {
	// Config of a client that may do anything.
	Config *rest.Config
	// Client that reads what is there now, without a cache.
	Client client.Client

	environment *envtest.Environment
}

// engineModules are the modules whose custom resources the services use, and where in them.
var engineModules = map[string][]string{
	"github.com/cloudnative-pg/cloudnative-pg": {
		"config/crd/bases/postgresql.cnpg.io_clusters.yaml", "config/crd/bases/postgresql.cnpg.io_scheduledbackups.yaml",
	},
	"github.com/rabbitmq/cluster-operator/v2": {"config/crd/bases"},
	"github.com/cert-manager/cert-manager":    {"deploy/crds/cert-manager.io_certificates.yaml"},
}

// Start runs the API server, with the custom resources of the engines and of the
// services, their roles and admission policies, and the three namespaces. Stop it.
func Start() (*Cluster, error) {
	crds, err := engineCRDs()
	if err != nil {
		return nil, err
	}
	bin, err := tools()
	if err != nil {
		return nil, err
	}
	c := &Cluster{environment: &envtest.Environment{
		BinaryAssetsDirectory:    bin,
		CRDDirectoryPaths:        append(crds, filepath.Join(root(), "operators", "manifests", "crds")),
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: 2 * time.Minute,
		Scheme:                   Scheme(),
	}}
	if c.Config, err = c.environment.Start(); err != nil {
		return nil, fmt.Errorf("kube-apiserver: %w (build it with `make tools`)", err)
	}
	c.Config.QPS, c.Config.Burst = 200, 400
	if c.Client, err = client.New(c.Config, client.Options{Scheme: Scheme()}); err == nil {
		err = c.prepare(context.Background())
	}
	if err != nil {
		return nil, fmt.Errorf("%w (and stopping: %v)", err, c.Stop())
	}
	return c, nil
}

// Manager is a client with the rights of the manager's service account, no more.
func (c *Cluster) Manager() (client.Client, error) {
	return client.New(c.ManagerConfig(), client.Options{Scheme: Scheme()})
}

// ManagerConfig is for clients with the rights of the manager's service account.
func (c *Cluster) ManagerConfig() *rest.Config {
	config := rest.CopyConfig(c.Config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:spine-system:spine-manager",
		Groups:   []string{"system:serviceaccounts", "system:authenticated"},
	}
	return config
}

// Stop ends the API server.
func (c *Cluster) Stop() error { return c.environment.Stop() }

// Scheme knows every kind that the manager works with.
func Scheme() *apiruntime.Scheme {
	s := apiruntime.NewScheme()
	for _, add := range []func(*apiruntime.Scheme) error{clientgoscheme.AddToScheme, messagingapi.AddToScheme, bookingapi.AddToScheme, resilienceapi.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}

// prepare makes the namespaces, then applies what operators/manifests holds of roles and
// policies, and waits until these are in force.
func (c *Cluster) prepare(ctx context.Context) error {
	for _, name := range []string{"spine-system", "spine-messaging", "spine-booking"} {
		n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"pod-security.kubernetes.io/enforce": "restricted", "spine.nhs.uk/class": "Development",
		}}}
		if err := c.Client.Create(ctx, n); err != nil {
			return err
		}
	}
	for _, folder := range []string{"rbac", "pair", "policies"} {
		entries, err := manifests.FS.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			text, err := manifests.FS.ReadFile(folder + "/" + e.Name())
			if err != nil {
				return err
			}
			if err := c.create(ctx, string(text)); err != nil {
				return fmt.Errorf("%s/%s: %w", folder, e.Name(), err)
			}
		}
	}
	return c.enforced(ctx)
}

func (c *Cluster) create(ctx context.Context, documents string) error {
	for doc := range strings.SplitSeq(documents, "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
			return err
		}
		if len(u.Object) == 0 {
			continue
		}
		if err := c.Client.Create(ctx, u); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// engineCRDs finds the custom resources in the modules that the engines are built from.
func engineCRDs() ([]string, error) {
	pins := filepath.Join(root(), "hack", "tools", "modules", "engines")
	var out []string
	for module, paths := range engineModules {
		if text, err := exec.Command("go", "-C", pins, "mod", "download", module).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", module, err, text)
		}
		dir, err := exec.Command("go", "-C", pins, "list", "-m", "-f", "{{.Dir}}", module).Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", module, err)
		}
		for _, path := range paths {
			out = append(out, filepath.Join(strings.TrimSpace(string(dir)), path))
		}
	}
	return out, nil
}

// tools is where hack/tools puts etcd and kube-apiserver.
func tools() (string, error) {
	cache := os.Getenv("SPINE_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(base, "spine")
	}
	return filepath.Join(cache, "bin"), nil
}

func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
