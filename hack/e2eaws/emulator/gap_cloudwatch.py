# SPDX-License-Identifier: Apache-2.0
"""CloudWatch. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html

Lacking: PutCompositeAlarm. Actions are on unless ActionsEnabled says otherwise.
"""
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import EmptyResult


def put_composite_alarm(self):
    given = self._get_param
    self.cloudwatch_backend.put_metric_alarm(
        name=given("AlarmName"), description=given("AlarmDescription"), rule=given("AlarmRule"), tags=given("Tags", []),
        alarm_actions=given("AlarmActions", []), ok_actions=given("OKActions", []), insufficient_data_actions=given("InsufficientDataActions", []),
        actions_enabled=True if given("ActionsEnabled") is None else self._get_bool_param("ActionsEnabled"),
        namespace=None, metric_name=None, comparison_operator=None, evaluation_periods=None, period=None, threshold=None, statistic=None, dimensions=[])
    return EmptyResult()


CloudWatchResponse.put_composite_alarm = put_composite_alarm
