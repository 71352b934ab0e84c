// SPDX-License-Identifier: Apache-2.0

package identity

// evidenceActions are those of what watches an environment.
var evidenceActions = map[string][]grant{
	"aws:cloudtrail/trail:Trail": {
		on(regional("cloudtrail", "trail/{env}-*"), "cloudtrail", "CreateTrail UpdateTrail DeleteTrail GetTrail GetTrailStatus StartLogging StopLogging GetEventSelectors PutEventSelectors GetInsightSelectors AddTags RemoveTags ListTags"),
		on(anything, "cloudtrail", "DescribeTrails"),
		linked("cloudtrail.amazonaws.com"),
	},
	"aws:cfg/recorder:Recorder": {
		on(anything, "config", "DescribeConfigurationRecorders PutConfigurationRecorder DeleteConfigurationRecorder"),
		linked("config.amazonaws.com"),
	},
	"aws:cfg/recorderStatus:RecorderStatus": {
		on(anything, "config", "DescribeConfigurationRecorderStatus StartConfigurationRecorder StopConfigurationRecorder"),
	},
	"aws:cfg/deliveryChannel:DeliveryChannel": {
		on(anything, "config", "DescribeDeliveryChannels PutDeliveryChannel DeleteDeliveryChannel"),
	},
	"aws:cfg/rule:Rule": {
		on(regional("config", "config-rule/*"), "config", "PutConfigRule DeleteConfigRule TagResource UntagResource ListTagsForResource"),
		on(anything, "config", "DescribeConfigRules"),
	},
	"aws:guardduty/detector:Detector": {
		on(regional("guardduty", "detector/*"), "guardduty", "GetDetector UpdateDetector DeleteDetector TagResource UntagResource ListTagsForResource"),
		on(anything, "guardduty", "CreateDetector ListDetectors"),
		linked("guardduty.amazonaws.com"),
	},
	"aws:guardduty/detectorFeature:DetectorFeature": {on(regional("guardduty", "detector/*"), "guardduty", "GetDetector UpdateDetector")},
	"aws:securityhub/account:Account": {
		on(regional("securityhub", "hub/default"), "securityhub", "EnableSecurityHub DisableSecurityHub DescribeHub UpdateSecurityHubConfiguration"),
		linked("securityhub.amazonaws.com"),
	},
	"aws:securityhub/standardsSubscription:StandardsSubscription": {
		on(anything, "securityhub", "BatchEnableStandards BatchDisableStandards GetEnabledStandards DescribeStandardsControls"),
	},
	"aws:accessanalyzer/analyzer:Analyzer": {
		on(regional("access-analyzer", "analyzer/{env}-*"), "access-analyzer", "CreateAnalyzer DeleteAnalyzer GetAnalyzer UpdateAnalyzer TagResource UntagResource ListTagsForResource"),
		linked("access-analyzer.amazonaws.com"),
	},
	"aws:cloudwatch/logGroup:LogGroup": {
		on(regional("logs", "log-group:*{env}*"), "logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey DisassociateKmsKey TagResource UntagResource ListTagsForResource"),
		on(anything, "logs", "DescribeLogGroups"),
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		on(regional("cloudwatch", "alarm:{env}-*"), "cloudwatch", "PutMetricAlarm DeleteAlarms EnableAlarmActions DisableAlarmActions TagResource UntagResource ListTagsForResource"),
		on(anything, "cloudwatch", "DescribeAlarms"),
	},
	"aws:cloudwatch/compositeAlarm:CompositeAlarm": {
		on(regional("cloudwatch", "alarm:{env}-*"), "cloudwatch", "PutCompositeAlarm DeleteAlarms EnableAlarmActions DisableAlarmActions TagResource UntagResource ListTagsForResource"),
		on(anything, "cloudwatch", "DescribeAlarms"),
	},
	"aws:cloudwatch/dashboard:Dashboard": {
		on("arn:aws:cloudwatch::{account}:dashboard/{env}*", "cloudwatch", "PutDashboard GetDashboard DeleteDashboards"),
	},
	"aws:cloudwatch/eventRule:EventRule": {
		on(regional("events", "rule/{env}-*"), "events", "PutRule DeleteRule DescribeRule EnableRule DisableRule TagResource UntagResource ListTagsForResource"),
	},
	"aws:cloudwatch/eventTarget:EventTarget": {
		on(regional("events", "rule/{env}-*"), "events", "PutTargets RemoveTargets ListTargetsByRule"),
	},
	"aws:sns/topic:Topic": {
		on(regional("sns", "{env}-*"), "sns", "CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes TagResource UntagResource ListTagsForResource"),
		useKeys,
	},
	"aws:sns/topicSubscription:TopicSubscription": {
		on(regional("sns", "{env}-*"), "sns", "Subscribe Unsubscribe GetSubscriptionAttributes SetSubscriptionAttributes ListSubscriptionsByTopic"),
	},
	"aws:sns/topicPolicy:TopicPolicy": {on(regional("sns", "{env}-*"), "sns", "GetTopicAttributes SetTopicAttributes")},
}

// moneyActions are those of budgets: billing is one for the account, and knows no
// region.
var moneyActions = map[string][]grant{
	"aws:budgets/budget:Budget": {
		on("arn:aws:budgets::{account}:budget/{env}*", "budgets", "ViewBudget ModifyBudget TagResource UntagResource ListTagsForResource"),
	},
	"aws:costexplorer/anomalyMonitor:AnomalyMonitor": {
		on("arn:aws:ce::{account}:anomalymonitor/*", "ce", "CreateAnomalyMonitor UpdateAnomalyMonitor DeleteAnomalyMonitor GetAnomalyMonitors TagResource UntagResource ListTagsForResource"),
	},
	"aws:costexplorer/anomalySubscription:AnomalySubscription": {
		on("arn:aws:ce::{account}:anomalysubscription/*", "ce", "CreateAnomalySubscription UpdateAnomalySubscription DeleteAnomalySubscription GetAnomalySubscriptions TagResource UntagResource ListTagsForResource"),
		on("arn:aws:ce::{account}:anomalymonitor/*", "ce", "CreateAnomalySubscription UpdateAnomalySubscription GetAnomalyMonitors"),
	},
	"aws:costexplorer/costAllocationTag:CostAllocationTag": {
		on(anything, "ce", "ListCostAllocationTags UpdateCostAllocationTagsStatus"),
	},
}
