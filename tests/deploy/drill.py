"""The restore drill: infra/restore.py against the deployed portal, by the real AWS CLI.

The emulator restores a table to what is in it now, with its indexes, and like DynamoDB without its stream, expiry,
recovery, protection and tags; now is all that it can restore to. So the instant of this drill is that of the call; what
is done after it has to be gone once the portal uses the restored tables, but for what must not be.
"""

from datetime import UTC, datetime

from journey import PASSWORD, Visitor, log_in, sign_up
from operate import operate

NAME = "drill"
TABLES = ("Identity", "Members", "Ledger", "Evidence")


def restore(aws, *words, expect=0):
    """Gives what the script said."""
    command, *rest = words
    return operate(aws, "restore.py", command, "--poll", "0.2", *rest, expect=expect)


def names(aws):
    return set(aws.client("dynamodb").list_tables()["TableNames"])


def settings(aws, table):
    client = aws.client("dynamodb")
    description = client.describe_table(TableName=table)["Table"]
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    tags = client.list_tags_of_resource(ResourceArn=description["TableArn"])["Tags"]
    return {
        "indexes": sorted(
            (index["IndexName"], str(index["Projection"]))
            for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes") for index in description.get(kind, [])
        ),
        "stream": description.get("StreamSpecification"),
        "expiry": client.describe_time_to_live(TableName=table)["TimeToLiveDescription"],
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "protection": description.get("DeletionProtectionEnabled"),
        # Those of CloudFormation are its own.
        "tags": [tag for tag in tags if not tag["Key"].startswith("aws:")],
    }


def refusals(aws):
    """What cannot be done is said, and changes nothing."""
    before = names(aws)
    for words, what in [
        (("restore", "--to", "yesterday"), "is no instant"),
        (("restore", "--to", "2026-11-25T10:15:00"), "names no zone"),
        (("restore", "--to", "2012-11-25T10:15:00Z"), "can be restored from"),
        (("restore", "--to", "2999-01-01T00:00:00Z"), "can be restored from"),
        (("restore", "--to", "latest", "--name", "Drill!"), "names no restore"),
        (("repoint", "--name", NAME), "restore it first"),
    ]:
        assert what in restore(aws, *words, expect=1), words
    assert "would restore" in restore(aws, "restore", "--to", "latest", "--name", NAME, "--dry-run")
    assert names(aws) == before, "a dry run makes tables"


def drill(deployment, api, manager, number):
    """Restores, goes on working, repoints, goes back, cleans up. `manager` is signed in, and ends so."""
    aws, used = deployment.aws, {table: deployment.outputs[f"{table}TableName"] for table in TABLES}
    client = aws.client("dynamodb")
    client.tag_resource(
        ResourceArn=client.describe_table(TableName=used["Ledger"])["Table"]["TableArn"],
        Tags=[{"Key": "stage", "Value": "test"}],
    )
    assert "recovery is off" in restore(aws, "restore", "--to", "latest", expect=1)
    for table in used.values():
        # The template says so (checkov looks); the emulator makes neither this, nor expiry and encryption, from there.
        client.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    client.update_time_to_live(
        TableName=used["Identity"], TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
    )
    leaver = sign_up(deployment, api, "anne@martin.example")
    totals = manager.call("GET", f"/api/accounts/{number}/summary")["totals"]
    instant = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    refusals(aws)

    said = restore(aws, "restore", "--to", "latest", "--name", NAME)
    restored = {table: f"{name}-{NAME}" for table, name in used.items()}
    assert set(restored.values()) <= names(aws), said
    for table in TABLES:
        wanted, there = settings(aws, used[table]), settings(aws, restored[table])
        assert there == wanted, (table, there, wanted)
    # As after a power cut: one table is not there yet, another one lacks what a restore does not carry.
    client.update_table(TableName=restored["Evidence"], DeletionProtectionEnabled=False)
    client.delete_table(TableName=restored["Evidence"])
    client.update_table(TableName=restored["Identity"], StreamSpecification={"StreamEnabled": False})
    said = restore(aws, "restore", "--to", "latest", "--name", NAME)
    assert said.count("is there already") == 3, said
    assert settings(aws, restored["Identity"]) == settings(aws, used["Identity"])

    # What happens after the instant: somebody comes, somebody goes, somebody changes what is known of them.
    sign_up(deployment, api, "later@martin.example")
    leaver.call("DELETE", "/api/me", {"current_password": PASSWORD}, expect=204)
    manager.call("PATCH", "/api/me", {"job_title": "Gérante"})
    said = restore(aws, "repoint", "--name", NAME, "--dry-run")
    # A canary would be judged by the answers of a portal that is stopped.
    assert "would set" in said and "'DeploymentType': 'AllAtOnce'" in said, said
    assert manager.call("GET", "/api/me")["job_title"] == "Gérante", "a dry run changes what is used"

    said = restore(aws, "repoint", "--name", NAME, "--since", instant)
    assert "erased again" in said and "0 batches" in said, said
    assert "acts are of the minute before" in said and "account-created" in said, said
    assert "the ledger equals its entries" in said, said
    manager.call("GET", "/api/home", expect=401)  # sessions of that instant are over
    log_in(manager, "lea@martin.example", PASSWORD + "-bis")
    assert manager.call("GET", "/api/me")["job_title"] == "Comptable"
    assert manager.call("GET", f"/api/accounts/{number}/summary")["totals"] == totals
    for gone in ("later@martin.example", "anne@martin.example"):
        Visitor(aws, api).call("POST", "/api/sessions", {"email": gone, "password": PASSWORD}, expect=401)
    # The stream of the restored table starts what it has to, and evidence goes on in the table that it was in.
    before = evidence(client, used["Evidence"])
    sign_up(deployment, api, "new@martin.example")
    assert evidence(client, used["Evidence"]) > before
    assert deployment.invoke("ReconcileFunction", {"account": number})["drift"] == 0

    torn(aws, client, restored["Ledger"], number)

    assert "is in use" in restore(aws, "discard", "--name", NAME, expect=1)
    restore(aws, "repoint", "--name", NAME)  # again, as after an end in its middle
    log_in(manager, "lea@martin.example", PASSWORD + "-bis")
    restore(aws, "repoint", "--name", "original")
    log_in(Visitor(aws, api), "later@martin.example", PASSWORD)
    log_in(manager, "lea@martin.example", PASSWORD + "-bis")
    restore(aws, "discard", "--name", NAME)
    restore(aws, "discard", "--name", NAME)
    assert not set(restored.values()) & names(aws), names(aws)


def torn(aws, client, ledger, number):
    """A part of a posting was restored: it is found, and what to do is said."""
    entries = client.query(
        TableName=ledger, KeyConditionExpression="pk = :pk", FilterExpression="attribute_exists(facts)",
        ExpressionAttributeValues={":pk": {"S": f"ACCOUNT#{number}"}},
    )["Items"]
    assert entries, "the account has entries"
    client.delete_item(TableName=ledger, Key={"pk": entries[0]["pk"], "sk": entries[0]["sk"]})
    said = restore(aws, "check", expect=1)
    assert "differ from its entries" in said and "another instant" in said and number in said, said
    client.put_item(TableName=ledger, Item=entries[0])
    assert "the ledger equals its entries" in restore(aws, "check")


def evidence(client, table):
    return client.scan(TableName=table, Select="COUNT")["Count"]
