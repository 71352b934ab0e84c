// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// The whole manager, with its caches and its lease, under its own roles and no more.
func TestManager(t *testing.T) {
	g := NewWithT(t)
	cluster, err := operatortest.Start()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(cluster.Stop()).To(Succeed()) })

	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(t.Output(), nil)))
	o := defaults()
	o.edgeAddress, o.tlsDir = "10.90.0.101", certificates(t)
	o.metricsAddress, o.healthAddress = loopback(t), loopback(t)
	o.operationsConfig = filepath.Join(t.TempDir(), "operations.yaml")
	_, err = newManager(cluster.ManagerConfig(), o)
	g.Expect(err).To(MatchError(ContainSubstring("--operations-config: open ")), "without the rules it would ask for less")
	g.Expect(os.WriteFile(o.operationsConfig, []byte("{}"), 0o600)).To(Succeed())
	g.Expect(o.validate()).To(Succeed())
	m, err := newManager(cluster.ManagerConfig(), o)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		g.Expect(<-ended).To(Succeed())
	})

	service := operatortest.Messaging("smoke")
	g.Expect(cluster.Client.Create(ctx, service)).To(Succeed())
	g.Eventually(func(g Gomega) {
		g.Expect(cluster.Client.Get(ctx, client.ObjectKeyFromObject(service), service)).To(Succeed())
		g.Expect(service.Finalizers).To(ContainElement(common.WorkFinalizer))
		ready := meta.FindStatusCondition(service.Status.Conditions, common.ConditionReady)
		g.Expect(ready).NotTo(BeNil())
		stalled := meta.FindStatusCondition(service.Status.Conditions, common.ConditionStalled)
		g.Expect(stalled.Reason).To(Equal(common.ReasonNotStalled), stalled.Message)
		// The edge controller saw the Service, and the service's controller the address.
		g.Expect(service.Status.Addresses).To(ContainElement(common.Address{Name: "mesh", Address: "10.90.0.101:8443"}))
	}, 60*time.Second, 200*time.Millisecond).Should(Succeed())
	ledger := &unstructured.Unstructured{}
	ledger.SetGroupVersionKind(database.GVK)
	g.Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: "spine-messaging", Name: "smoke-db"}, ledger)).To(Succeed())

	// A status of the database, and not the clock, makes the manager look again.
	g.Expect(cluster.Database(ctx, "spine-messaging", "smoke-db", 2, "Waiting for the instances to become active")).To(Succeed())
	g.Eventually(func(g Gomega) {
		var now api.MessagingService
		g.Expect(cluster.Client.Get(ctx, client.ObjectKeyFromObject(service), &now)).To(Succeed())
		g.Expect(now.Status.Redundancy.Summary).To(HavePrefix("2/3 db"))
	}, 20*time.Second, 200*time.Millisecond).Should(Succeed())

	events := &corev1.EventList{}
	g.Eventually(func(g Gomega) {
		g.Expect(cluster.Client.List(ctx, events, client.InNamespace("spine-messaging"))).To(Succeed())
		g.Expect(events.Items).NotTo(BeEmpty())
	}, 10*time.Second).Should(Succeed())

	healthy, err := http.Get("http://" + o.healthAddress + "/readyz")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(healthy.Body.Close()).To(Succeed())
	g.Expect(healthy.StatusCode).To(Equal(http.StatusOK))
	metrics(g, o)
}

// metrics are for those with a certificate of the platform.
func metrics(g Gomega, o *options) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(o.tlsDir, "tls.crt"), filepath.Join(o.tlsDir, "tls.key"))
	g.Expect(err).NotTo(HaveOccurred())
	roots := x509.NewCertPool()
	authority, err := os.ReadFile(filepath.Join(o.tlsDir, "ca.crt"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(roots.AppendCertsFromPEM(authority)).To(BeTrue())
	for certificates, status := range map[*tls.Certificate]int{&pair: http.StatusOK, nil: 0} {
		config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		if certificates != nil {
			config.Certificates = []tls.Certificate{*certificates}
		}
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		response, err := c.Get("https://" + o.metricsAddress + "/metrics")
		if status == 0 {
			g.Expect(err).To(MatchError(ContainSubstring("certificate required")))
			continue
		}
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(response.Body.Close()).To(Succeed())
		g.Expect(response.StatusCode).To(Equal(status))
	}
}

// certificates makes a folder with a certificate that is its own authority.
func certificates(t *testing.T) string {
	t.Helper()
	g, dir := NewWithT(t), t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "spine-manager"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	g.Expect(err).NotTo(HaveOccurred())
	private, err := x509.MarshalPKCS8PrivateKey(key)
	g.Expect(err).NotTo(HaveOccurred())
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "ca.crt": {Type: "CERTIFICATE", Bytes: der},
		"tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600)).To(Succeed())
	}
	return dir
}

func loopback(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	return l.Addr().String()
}
