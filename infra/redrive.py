#!/usr/bin/env python3
"""Does once more what was given up on: empties a dead-letter queue of the portal by what its messages stand for.

    infra/redrive.py --stack portal-prod UnsentMailQueue          wakes the mails that are not sent
    infra/redrive.py --stack portal-prod LostFeedbackQueue        hands SES's events to mail-feedback
    infra/redrive.py --stack portal-prod FailedImportsQueue       hands manifests to import-feed
    infra/redrive.py --stack portal-prod FailedImportTasksQueue   sends parts of a large batch again
    infra/redrive.py --stack portal-prod FailedExportsQueue       forgets exports, whose askers were told

Needs Python 3.9 and the AWS CLI. A message is deleted once what it stands for is done, so a command that was cut off is
given again; what comes twice changes nothing. `--dry-run` counts. docs/operations.md says when to use which.
"""

import argparse
import json
import time

from stack import Aws, Failure, Stack, add_common, run, say

# Where each queue is: the stack that it is nested in.
QUEUES = {
    "UnsentMailQueue": "Mail",
    "LostFeedbackQueue": "Mail",
    "FailedImportsQueue": "Data",
    "FailedImportTasksQueue": "Data",
    "FailedExportsQueue": "Data",
}
# A minute longer than any function may take: a message is not received twice while its function is at it.
HIDDEN_S = "960"
# A poll that waits at all asks all of SQS's servers; one that does not may find none of a few messages.
WAIT_S = "2"
# The number of messages that SQS tells may be a minute old.
LATE_S = 60


def event_of(body):
    """The event in a message: Lambda puts it into a record of its own, EventBridge sends it as it is."""
    return body["requestPayload"] if "requestPayload" in body else body


# Each of these is told the stack and its queues before any message goes, and gives what is done with a message.


def waking(portal, queues):
    """Wakes the mails in the outbox: the messages name positions in the stream, which are of no use a day later."""
    said = portal.invoke(portal.functions()["SweepOutboxFunction"], {})
    say(f"{said['woken']} mails woken; what is not five minutes old yet is woken by the next sweep")
    return forgetting(portal, queues)


def invoking(logical):
    """Hands each message's event to a function, and waits for it."""
    def begin(portal, _queues):
        function = portal.functions()[logical]
        return lambda body: portal.invoke(function, event_of(body))

    return begin


def sending(portal, queues):
    """Sends a task once more, which goes on from its last checkpoint, however often that is done."""
    url = queues["DataImportTasksQueue"]
    return lambda body: portal.aws.ask("sqs", "send-message", queue_url=url, message_body=json.dumps(body))


def forgetting(_portal, _queues):
    """Lets go of what is done otherwise."""
    return lambda _body: None


# What becomes of the messages of each queue.
REDRIVES = {
    "UnsentMailQueue": waking,
    "LostFeedbackQueue": invoking("MailFeedbackFunction"),
    "FailedImportsQueue": invoking("ImportFeedFunction"),
    "FailedImportTasksQueue": sending,
    # Each says of itself that it failed, and whoever asked asks again.
    "FailedExportsQueue": forgetting,
}


def redrive(portal, name):
    queues = portal.resources("AWS::SQS::Queue")
    url = queues[QUEUES[name] + name]

    def waiting():
        attributes = portal.aws.ask("sqs", "get-queue-attributes", queue_url=url, attribute_names="All")["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    say(f"{waiting()} messages in {name}")
    if portal.aws.dry_run:
        return
    # Where this fails, the messages stay, and so does their alarm.
    do = REDRIVES[name](portal, queues)
    done = 0
    while True:
        received = portal.aws.ask("sqs", "receive-message", queue_url=url, visibility_timeout=HIDDEN_S,
                                  wait_time_seconds=WAIT_S)
        messages = received.get("Messages", [])
        if not messages:
            break
        for message in messages:
            do(json.loads(message["Body"]))
            portal.aws.ask("sqs", "delete-message", queue_url=url, receipt_handle=message["ReceiptHandle"])
            done += 1
    say(f"{done} messages done with")
    until = time.monotonic() + LATE_S
    while (left := waiting()) and time.monotonic() < until:
        time.sleep(5)
    if left:
        raise Failure(f"{left} messages are in {name} still: run this again")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument("queue", choices=QUEUES, help="which queue")
    options = parser.parse_args()
    run(lambda: redrive(Stack(Aws(options), options.stack), options.queue))


if __name__ == "__main__":
    main()
