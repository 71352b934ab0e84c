// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// Aurora is a database that somebody else runs.
func Aurora() common.DatabaseSpec {
	return common.DatabaseSpec{Endpoint: &common.DatabaseEndpoint{
		Engine: common.EngineAurora, EngineEndpoint: elsewhere("db.cluster-1.eu-west-2.rds.test", "database-owner", "rds-ca"), Port: 5432, Database: "spine",
	}}
}

// AmazonMQ is a broker that somebody else runs.
func AmazonMQ() common.BrokerSpec {
	return common.BrokerSpec{Endpoint: &common.BrokerEndpoint{EngineEndpoint: elsewhere("b-1.mq.eu-west-2.test", "broker-user", "mq-ca"), Port: 5671}}
}

func elsewhere(host common.HostName, secret, authorities string) common.EngineEndpoint {
	return common.EngineEndpoint{
		Host: host, Networks: []common.SiteNetwork{"10.40.48.0/24", "10.40.49.0/24", "10.40.50.0/24"},
		CredentialsSecret: common.LocalSecret{Name: secret}, CAConfigMap: authorities,
	}
}

// Elsewhere has somebody else run both engines of a MessagingService.
func Elsewhere(m *api.MessagingService) { m.Spec.Database, m.Spec.Broker = Aurora(), AmazonMQ() }
