// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// What the broker of the messaging service is called, and where it listens.
const (
	brokerNamespace = "spine-messaging"
	brokerName      = "spine-broker"
	amqps           = 5671
	// openingName is that of the network policy that lets the plain client in while it is measured.
	openingName = "bench-plain-client"
)

// plain measures a client that publishes straight to the same broker, in the same run: what the services' durability,
// validation and dispatch cost shows beside it.
func (b *bench) plain(ctx context.Context, g *generator) (err error) {
	kube, err := b.site.Kube()
	if err != nil {
		return err
	}
	secret, err := kube.CoreV1().Secrets(brokerNamespace).Get(ctx, brokerName+"-default-user", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the broker's user: %w", err)
	}
	service, err := kube.CoreV1().Services(brokerNamespace).Get(ctx, brokerName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the broker's service: %w", err)
	}
	if err := openBroker(ctx, kube); err != nil {
		return err
	}
	// What was opened is closed again, even after Ctrl-C.
	last := context.WithoutCancel(ctx)
	defer func() {
		err = errors.Join(err, kube.NetworkingV1().NetworkPolicies(brokerNamespace).Delete(last, openingName, metav1.DeleteOptions{}))
	}()
	via, err := b.hostAddress(ctx, kube)
	if err != nil {
		return err
	}
	// The hosts pass on what comes for a service's address; this machine only has to send it to one of them.
	route := []string{service.Spec.ClusterIP + "/32", "via", via}
	if _, err := b.site.Run(ctx, "ip", append([]string{"route", "replace"}, route...)...); err != nil {
		return err
	}
	defer func() {
		_, routeErr := b.site.Run(last, "ip", append([]string{"route", "del"}, route...)...)
		err = errors.Join(err, routeErr)
	}()
	if err := reachable(ctx, fmt.Sprintf("%s:%d", service.Spec.ClusterIP, amqps)); err != nil {
		return err
	}
	return b.publish(ctx, g, secret, service)
}

// reachable waits until the hosts have put the opened policy into force.
func reachable(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var dialer net.Dialer
	for {
		connection, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the broker's service, which a network policy opened a minute ago: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (b *bench) publish(ctx context.Context, g *generator, secret *corev1.Secret, service *corev1.Service) error {
	ca := filepath.Join(g.records, "broker-ca.crt")
	platform, err := os.ReadFile(filepath.Join(g.clients, "ca.crt"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(ca, platform, 0o600); err != nil {
		return err
	}
	broker := url.URL{
		Scheme: "amqps", Host: fmt.Sprintf("%s:%d", service.Spec.ClusterIP, amqps), Path: "/",
		User: url.UserPassword(string(secret.Data["username"]), string(secret.Data["password"])),
	}
	r, err := g.run(ctx, []string{"LOAD_BROKER_URL=" + broker.String()}, "plain", "--rate", "0", "--connections", "32",
		"--ca", ca, "--server-name", fmt.Sprintf("%s.%s.svc", brokerName, brokerNamespace), "--duration", fmt.Sprintf("%ds", stepSeconds))
	if err != nil {
		return err
	}
	b.record.add("plain client, 32 connections: confirmed", "/s", r.PerSecond)
	b.record.add("plain client: p50", "ms", r.Latency.P50)
	b.record.add("plain client: p99", "ms", r.Latency.P99)
	return nil
}

// openBroker lets anybody reach the broker's port, whose TLS and password remain.
func openBroker(ctx context.Context, kube kubernetes.Interface) error {
	port := intstr.FromInt32(amqps)
	protocol := corev1.ProtocolTCP
	policy := &networkv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: openingName},
		Spec: networkv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": brokerName}},
			PolicyTypes: []networkv1.PolicyType{networkv1.PolicyTypeIngress},
			Ingress:     []networkv1.NetworkPolicyIngressRule{{Ports: []networkv1.NetworkPolicyPort{{Port: &port, Protocol: &protocol}}}},
		},
	}
	_, err := kube.NetworkingV1().NetworkPolicies(brokerNamespace).Create(ctx, policy, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// hostAddress is the address of the first host.
func (b *bench) hostAddress(ctx context.Context, kube kubernetes.Interface) (string, error) {
	node, err := kube.CoreV1().Nodes().Get(ctx, hosts[0], metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address, nil
		}
	}
	return "", fmt.Errorf("node %s has no address", node.Name)
}
