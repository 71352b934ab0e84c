// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"net/url"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var forwarded = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// databaseURL opens a way to a database's primary and returns its URL; stop closes the way.
func databaseURL(ctx context.Context, namespace, cluster string) (address string, stop func()) {
	GinkgoHelper()
	pods, secret := &corev1.PodList{}, &corev1.Secret{}
	// A fault may have taken the API's host with it: what was promised is read once the API answers again.
	Eventually(func(g Gomega) {
		g.Expect(objects.List(ctx, pods, client.InNamespace(namespace),
			client.MatchingLabels{"cnpg.io/cluster": cluster, "cnpg.io/instanceRole": "primary"})).To(Succeed())
		g.Expect(pods.Items).To(HaveLen(1), "primaries of "+cluster)
		g.Expect(objects.Get(ctx, client.ObjectKey{Namespace: namespace, Name: cluster + "-app"}, secret)).To(Succeed())
	}).WithContext(ctx).WithTimeout(3 * time.Minute).Should(Succeed())

	cmd := rack.Command(ctx, "kubectl", "-n", namespace, "port-forward", pods.Items[0].Name, ":5432")
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	cmd.Stderr = GinkgoWriter
	Expect(cmd.Start()).To(Succeed())
	line, err := bufio.NewReader(out).ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	port := forwarded.FindStringSubmatch(line)
	Expect(port).NotTo(BeNil(), line)

	u := url.URL{Scheme: "postgres", Host: "127.0.0.1:" + port[1], Path: "/" + string(secret.Data["dbname"]), RawQuery: "sslmode=require",
		User: url.UserPassword(string(secret.Data["username"]), string(secret.Data["password"]))}
	return u.String(), func() {
		Expect(cmd.Process.Kill()).To(Succeed())
		_ = cmd.Wait() // killed: that is its error
	}
}
