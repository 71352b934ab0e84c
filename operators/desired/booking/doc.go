// SPDX-License-Identifier: Apache-2.0

// Package booking builds the parts of a BookingService: one builder for each.
package booking

import (
	"fmt"
	"net"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

// Components of a BookingService, as the component label says them.
const (
	ComponentDatabase = "database"
	ComponentService  = "service"
	componentNetwork  = "network"
)

// Names and numbers of ports of the program.
const (
	portAPI = "api"
	portOps = "ops"
	// APIPort and OpsPort are those that the program's containers listen at.
	APIPort = 8445
	OpsPort = 8446
)

// DatabaseName is the name of the Cluster of CloudNativePG.
func DatabaseName(b *booking.BookingService) string {
	return common.Database(b.Annotations, b.Name+"-db")
}

// ServiceName is the name of the Deployment, the Service and the budget.
func ServiceName(b *booking.BookingService) string { return b.Name + "-service" }

// certificateName is the name of the server's Certificate and its Secret.
func certificateName(b *booking.BookingService) string { return b.Name + "-service-tls" }

// gatewayClientName is the name of the Certificate, and its Secret, that the
// outbox shows to the message gateway.
func gatewayClientName(b *booking.BookingService) string { return b.Name + "-gateway-client" }

// configName is the name of the ConfigMap with booking.yaml.
func configName(b *booking.BookingService) string { return b.Name + "-service-config" }

// gatewayService is the name of the Service of the message gateway that the
// outbox sends through.
func gatewayService(b *booking.BookingService) string { return b.Spec.Gateway.Name + "-gateway" }

// OpsName is the name of the Service at which the manager asks any replica.
func OpsName(b *booking.BookingService) string { return ServiceName(b) + "-ops" }

// OpsAddress is where the manager asks any replica, host:port.
func OpsAddress(b *booking.BookingService) string {
	return fmt.Sprintf("%s:%d", OpsServerName(b), OpsPort)
}

// PodOpsAddress is where the manager asks one replica, by the IP address of its pod.
func PodOpsAddress(ip string) string { return net.JoinHostPort(ip, strconv.Itoa(OpsPort)) }

// OpsServerName is the name that every replica's certificate carries.
func OpsServerName(b *booking.BookingService) string {
	return fmt.Sprintf("%s.%s.svc", OpsName(b), b.Namespace)
}

// order of this site's manager; the controller leaves a service alone whose order makes no sense.
func order(b *booking.BookingService) common.SiteOrder {
	o, _ := common.Order(b.Annotations, b.Spec.Site)
	return o
}

// Serves says whether the program is to run at this site.
func Serves(b *booking.BookingService) bool { return order(b).Role == common.SiteActive }

// Replicas is how many there have to be of the program: none at a site that is not to serve, and
// none while an operation holds the service; else the specification's number, or more where an
// operation has asked for more.
func Replicas(b *booking.BookingService) int32 {
	if !Serves(b) || common.Held(b.Annotations) {
		return 0
	}
	return common.Replicas(b.Annotations, b.Spec.Service.Replicas)
}

// Labels of a component's objects.
func Labels(b *booking.BookingService, component string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/part-of":    "ers-booking",
		"app.kubernetes.io/managed-by": "spine-manager",
		common.ServiceLabel:            b.Name,
		common.ComponentLabel:          component,
	}
}

// Selector of a component's pods: labels that never change.
func Selector(b *booking.BookingService, component string) map[string]string {
	if component == ComponentDatabase {
		return map[string]string{database.ClusterLabel: DatabaseName(b)}
	}
	return map[string]string{common.ServiceLabel: b.Name, common.ComponentLabel: component}
}

func meta(b *booking.BookingService, name, component string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: b.Namespace, Labels: Labels(b, component)}
}
