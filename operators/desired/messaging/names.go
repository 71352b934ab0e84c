// SPDX-License-Identifier: Apache-2.0

// Package messaging builds the children of a MessagingService, one builder for each.
package messaging

import (
	"fmt"
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// Parts of the service, by the value of common.ComponentLabel.
const (
	Database = "database"
	Broker   = "broker"
	Gateway  = "gateway"
)

// Ports of the gateway's container. Clients see those of the resource's exposure.
const (
	meshPort = 8443
	bulkPort = 8444
	opsPort  = 8446
)

const (
	postgresPort   = 5432
	cnpgStatusPort = 8000
	amqpsPort      = 5671
)

// DatabaseName of the CloudNativePG Cluster.
func DatabaseName(m *api.MessagingService) string {
	return common.Database(m.Annotations, m.Name+"-db")
}

// BrokerName of the RabbitmqCluster.
func BrokerName(m *api.MessagingService) string { return brokerName(m.Name) }

func brokerName(service string) string { return service + "-broker" }

// OfBroker says whether a pod of that name is one of the broker's of a service.
func OfBroker(service, pod string) bool {
	return strings.HasPrefix(pod, ServerName(brokerName(service))+"-")
}

// GatewayName of the Deployment, and of the Service that clients reach.
func GatewayName(m *api.MessagingService) string { return m.Name + "-gateway" }

// OpsName of the Service for the manager's questions.
func OpsName(m *api.MessagingService) string { return m.Name + "-gateway-ops" }

// OpsAddress is where the manager asks any gateway, host:port.
func OpsAddress(m *api.MessagingService) string {
	return fmt.Sprintf("%s.%s.svc:%d", OpsName(m), m.Namespace, opsPort)
}

// PodOpsAddress is where the manager asks one gateway, by the IP address of its pod.
func PodOpsAddress(ip string) string { return fmt.Sprintf("%s:%d", ip, opsPort) }

// OpsServerName is the name in the certificate that every gateway presents.
func OpsServerName(m *api.MessagingService) string { return OpsName(m) + "." + m.Namespace + ".svc" }

func brokerSecret(m *api.MessagingService) string  { return BrokerName(m) + "-tls" }
func gatewaySecret(m *api.MessagingService) string { return GatewayName(m) + "-tls" }
func clientSecret(m *api.MessagingService) string  { return GatewayName(m) + "-client" }

// Labels of a child of the part.
func Labels(m *api.MessagingService, part string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/part-of":    "spine-messaging",
		"app.kubernetes.io/managed-by": "spine-manager",
		common.ServiceLabel:            m.Name,
		common.ComponentLabel:          part,
	}
}

// Selector of the part's pods: the labels that never change.
func Selector(m *api.MessagingService, part string) map[string]string {
	switch part {
	case Database:
		return map[string]string{"cnpg.io/cluster": DatabaseName(m)}
	case Broker:
		return map[string]string{"app.kubernetes.io/name": BrokerName(m)}
	}
	return map[string]string{common.ServiceLabel: m.Name, common.ComponentLabel: part}
}

func meta(m *api.MessagingService, name, part string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: m.Namespace, Labels: maps.Clone(Labels(m, part))}
}
