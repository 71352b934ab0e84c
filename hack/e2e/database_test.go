// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

var forwarded = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// databaseOf is the name of a service's Cluster; RestoreDatabase makes another.
func databaseOf(service client.Object) string {
	return common.Database(service.GetAnnotations(), service.GetName()+"-db")
}

// databaseURL opens a way to a database's primary and returns its URL; stop closes the way. It leads by the API server,
// which a fault may have taken with it.
func databaseURL(ctx context.Context, namespace, cluster string) (address string, stop func(), err error) {
	pods, secret := &corev1.PodList{}, &corev1.Secret{}
	if err := objects.List(ctx, pods, client.InNamespace(namespace),
		client.MatchingLabels{"cnpg.io/cluster": cluster, "cnpg.io/instanceRole": "primary"}); err != nil {
		return "", nil, err
	}
	if n := len(pods.Items); n != 1 {
		return "", nil, fmt.Errorf("%s has %d primaries", cluster, n)
	}
	if err := objects.Get(ctx, client.ObjectKey{Namespace: namespace, Name: cluster + "-app"}, secret); err != nil {
		return "", nil, err
	}
	cmd := rack.Command(ctx, "kubectl", "-n", namespace, "port-forward", pods.Items[0].Name, ":5432")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stderr = GinkgoWriter
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	port := forwarded.FindStringSubmatch(line)
	if port == nil {
		stop()
		return "", nil, fmt.Errorf("port-forward to %s said %q", pods.Items[0].Name, line)
	}
	u := url.URL{Scheme: "postgres", Host: "127.0.0.1:" + port[1], Path: "/" + string(secret.Data["dbname"]), RawQuery: "sslmode=require",
		User: url.UserPassword(string(secret.Data["username"]), string(secret.Data["password"]))}
	return u.String(), stop, nil
}
