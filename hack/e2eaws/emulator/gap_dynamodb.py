# SPDX-License-Identifier: Apache-2.0
"""DynamoDB. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html

Otherwise: of two writes at once under a condition both may find that it holds, as it is looked at first and written then.
"""
import threading

from calls import wrap

from moto.dynamodb.models import DynamoDBBackend

_writing = threading.Lock()


@wrap(DynamoDBBackend, "put_item")
def put_item(before, self, *args, **kwargs):
    with _writing:
        return before(self, *args, **kwargs)
