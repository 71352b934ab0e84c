// SPDX-License-Identifier: Apache-2.0

package component

// The components of AWS.
const (
	TypeAWSNetwork  Type = "spine:aws:Network"
	TypeAWSCluster  Type = "spine:aws:Cluster"
	TypeAWSIdentity Type = "spine:aws:Identity"
	TypeAWSEdge     Type = "spine:aws:Edge"
	TypeAWSZone     Type = "spine:aws:Zone"
	TypeAWSDNS      Type = "spine:aws:DNS"
	TypeAWSPods     Type = "spine:aws:Pods"

	TypeAWSKeys          Type = "spine:aws:Keys"
	TypeAWSDatabase      Type = "spine:aws:Database"
	TypeAWSBroker        Type = "spine:aws:Broker"
	TypeAWSStorage       Type = "spine:aws:Storage"
	TypeAWSSecurity      Type = "spine:aws:Security"
	TypeAWSBackup        Type = "spine:aws:Backup"
	TypeAWSAlerts        Type = "spine:aws:Alerts"
	TypeAWSObservability Type = "spine:aws:Observability"
	TypeAWSFinOps        Type = "spine:aws:FinOps"
)
