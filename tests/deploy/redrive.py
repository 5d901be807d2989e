"""Each dead-letter queue of the deployed portal, redriven by the command that docs/operations.md names for it."""

import json
import time

from expand import ROOT
from journey import until
from operate import operate

QUEUES = {
    "UnsentMailQueue": "Mail", "LostFeedbackQueue": "Mail", "FailedImportsQueue": "Data",
    "FailedImportTasksQueue": "Data", "ImportTasksQueue": "Data", "FailedExportsQueue": "Data",
}


class Queue:
    """A queue of the stack."""

    def __init__(self, deployment, name):
        self.name = name
        self.aws = deployment.aws
        self.sqs = deployment.aws.client("sqs")
        self.url = deployment.physical(QUEUES[name] + name)

    def put(self, message):
        self.sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(message))

    def count(self):
        (count,) = self.sqs.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"].values()
        return int(count)

    def redrive(self, *words):
        return operate(self.aws, "redrive.py", *words, self.name)

    def redriven(self):
        """A dry run leaves all, the real one nothing."""
        before = self.count()
        assert before > 0, self.name
        self.redrive("--dry-run")
        assert self.count() == before, self.name
        assert f"{before} messages done with" in self.redrive(), self.name
        assert self.count() == 0, self.name


def by_lambda(event):
    """As Lambda writes what it gave up on: its record, with the event in it."""
    return {"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event}


def of_stream(deployment):
    """As the event source mapping names records: a position, and nothing of what is in them."""
    stream = {"streamArn": deployment.outputs["IdentityTableName"], "shardId": "shardId-0", "batchSize": 1}
    return {"version": "1.0", "requestContext": {"condition": "RetryAttemptsExhausted"}, "DDBStreamBatchInfo": stream}


def redrives(deployment, batch):
    """`batch` is the folder of a batch in the feed bucket whose report may be written anew."""
    dynamodb = deployment.aws.client("dynamodb")
    identity = deployment.outputs["IdentityTableName"]

    # A mail that the stream gave up on: it waits in the outbox, and no record of it will come any more.
    queue = Queue(deployment, "UnsentMailQueue")
    before = len(deployment.aws.mails())
    give_up_on_a_mail(dynamodb, identity)
    queue.put(of_stream(deployment))
    queue.redriven()
    until("the mail that was given up on", lambda: len(deployment.aws.mails()) == before + 1)

    queue = Queue(deployment, "LostFeedbackQueue")
    bounced = json.loads((ROOT / "events" / "mail-feedback.json").read_text(encoding="utf-8"))
    address = bounced["detail"]["mail"]["destination"][0]
    queue.put(by_lambda(bounced))
    queue.put(bounced)
    queue.redriven()
    key = {"pk": {"S": f"EMAIL#{address}"}, "sk": {"S": "MAIL-STATE"}}
    assert "Item" in dynamodb.get_item(TableName=identity, Key=key), "what SES told is not written down"

    queue = Queue(deployment, "FailedImportsQueue")
    s3, bucket = deployment.aws.client("s3"), deployment.outputs["FeedBucketName"]
    s3.delete_object(Bucket=bucket, Key=f"{batch}/report.json")
    arrived = json.loads((ROOT / "events" / "import-feed.json").read_text(encoding="utf-8"))
    arrived["detail"]["bucket"]["name"], arrived["detail"]["object"]["key"] = bucket, f"{batch}/manifest.json"
    queue.put(by_lambda(arrived))
    queue.redriven()
    report = json.load(s3.get_object(Bucket=bucket, Key=f"{batch}/report.json")["Body"])
    assert report["posted"] == 0 and report["unchanged"] > 100, report

    # It goes to the queue of the workers, from which one takes it.
    queue, tasks = Queue(deployment, "FailedImportTasksQueue"), Queue(deployment, "ImportTasksQueue")
    arrived["detail"]["bucket"]["name"] = deployment.physical("DataImportWorkBucket")
    arrived["detail"]["object"]["key"] = "tasks/of-a-batch-that-is-gone"
    queue.put(arrived)
    queue.redriven()
    until("a worker that takes the task", lambda: tasks.count() == 0)

    queue = Queue(deployment, "FailedExportsQueue")
    queue.put(of_stream(deployment))
    queue.redriven()


def give_up_on_a_mail(dynamodb, identity):
    """Has a mail that was sent be one that was not, asked for ten minutes ago; a change starts nothing."""
    (key, *_) = dynamodb.scan(
        TableName=identity, FilterExpression="begins_with(pk, :outbox) AND sk = :mail", ProjectionExpression="pk, sk",
        ExpressionAttributeValues={":outbox": {"S": "OUTBOX#"}, ":mail": {"S": "MAIL"}},
    )["Items"]
    wish = {"kind": "password-changed", "email": "lea@martin.example", "civility": "mme", "last_name": "Martin"}
    dynamodb.update_item(
        TableName=identity, Key=key,
        UpdateExpression="SET unsent = :unsent, requested_at = :then, wish = :wish REMOVE outcome",
        ExpressionAttributeValues={
            ":unsent": {"S": "UNSENT"}, ":then": {"N": str(int((time.time() - 600) * 1000))},
            ":wish": {"M": {name: {"S": value} for name, value in wish.items()}},
        },
    )
