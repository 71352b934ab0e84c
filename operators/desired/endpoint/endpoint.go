// SPDX-License-Identifier: Apache-2.0

// Package endpoint builds what the pods of a service need to reach an engine that somebody
// else runs: the files of an engine that the operator makes, from other sources.
package endpoint

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/restricted"
)

// Name of the ConfigMap that says where an engine is; engine is the name that the operator's
// own would have.
func Name(engine string) string { return engine + "-endpoint" }

// Keys of the ConfigMap and so files of a volume. The password is with none of them.
const (
	hostKey     = "host"
	portKey     = "port"
	databaseKey = "dbname"
	engineKey   = "engine"
)

// Database is the ConfigMap for a database; meta is what the operator's own would have. The
// program reads from it, too, which engine it is: that decides how it makes sure of a commit.
func Database(meta metav1.ObjectMeta, e *common.DatabaseEndpoint) *corev1.ConfigMap {
	return files(meta, map[string]string{
		engineKey: string(e.Engine), hostKey: string(e.Host), portKey: number(e.Port), databaseKey: e.Database,
	})
}

// DatabaseSources are the volume's: what Database says, the owner's name and password, and
// whose certificates are believed.
func DatabaseSources(engine string, e *common.DatabaseEndpoint) []corev1.VolumeProjection {
	return sources(engine, e.EngineEndpoint, engineKey, hostKey, portKey, databaseKey)
}

// Broker is the ConfigMap for a broker; meta is what the operator's own would have.
func Broker(meta metav1.ObjectMeta, e *common.BrokerEndpoint) *corev1.ConfigMap {
	return files(meta, map[string]string{hostKey: string(e.Host), portKey: number(e.Port)})
}

// BrokerSources are the volume's: what Broker says, name and password, and whose certificates
// are believed.
func BrokerSources(engine string, e *common.BrokerEndpoint) []corev1.VolumeProjection {
	return sources(engine, e.EngineEndpoint, hostKey, portKey)
}

// BrokerAnnotation on pods is the broker's address: with another one every pod is replaced, as
// those that keep their connections would go on dispatching through the one before.
const BrokerAnnotation = "spine.nhs.uk/broker"

// Address of a broker, host:port.
func Address(e *common.BrokerEndpoint) string { return fmt.Sprintf("%s:%d", e.Host, e.Port) }

func files(meta metav1.ObjectMeta, data map[string]string) *corev1.ConfigMap {
	meta.Name = Name(meta.Name)
	return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: meta, Data: data}
}

func sources(engine string, e common.EngineEndpoint, keys ...string) []corev1.VolumeProjection {
	return []corev1.VolumeProjection{
		restricted.ConfigMap(Name(engine), keys...),
		restricted.Secret(e.CredentialsSecret.Name, "username", "password"),
		restricted.ConfigMap(e.CAConfigMap, "ca.crt"),
	}
}

func number(port int32) string { return strconv.Itoa(int(port)) }
