#!/usr/bin/env python3
"""Restores the portal's tables to an instant, beside those in use, and has the portal use them.

    infra/restore.py restore --stack portal-prod --to 2026-11-25T10:15:00Z    the drill: nothing in use is touched
    infra/restore.py repoint --stack portal-prod --name r20261125t101500z     the portal uses the restored tables
    infra/restore.py repoint --stack portal-prod --name original              and those of the stack again
    infra/restore.py open    --stack portal-prod                              after a repoint that was cut off
    infra/restore.py check   --stack portal-prod                              holds the ledger against its entries once more
    infra/restore.py discard --stack portal-prod --name r20261125t101500z     deletes restored tables that nothing uses

Needs Python 3.9 and the AWS CLI; `--profile` and `--region` go to it. Every command can be given again, after an end of
whatever kind, and goes on where it was; `--dry-run` says what it would do. docs/operations.md has the whole of it,
docs/decisions/0085-restoring-to-an-instant.md the reasons. It ends with 0 where all is done, 1 with a message where not.
"""

import argparse
import datetime
import random
import re
import time

from stack import Aws, Failure, Refused, Stack, add_common, at_once, run, say

ORIGINAL = "original"
LATEST = "latest"
TABLES = ("Identity", "Members", "Ledger", "Evidence")
# What a name may be: it ends the tables' names, and the template takes no other.
NAME = re.compile(r"[a-z0-9-]{3,30}")
# What the outbox keeps, as DynamoDB's expiry would have it (portal/src/store/outbox.rs).
WISHES_KEPT_S = 7 * 24 * 3600
# What a BatchWriteItem takes.
BATCH = 25
# For how long before the instant a transaction counts as recent: of such a one a part may be restored.
RECENT_S = 60
# How many of what is found are printed.
PRINTED = 100


def iso(instant):
    return instant.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(text):
    """An instant as the AWS CLI or a person writes it; it has to name its zone."""
    try:
        instant = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Failure(f"{text!r} is no instant: write it as 2026-11-25T10:15:00Z") from None
    if instant.tzinfo is None:
        raise Failure(f"{text!r} names no zone: write it as {text}Z for UTC")
    return instant


def instant_of(value):
    """What the CLI prints for an instant: text, or seconds since 1970."""
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    return parsed(value)


class Portal(Stack):
    """A deployed portal, and which tables it uses."""

    def __init__(self, aws, options):
        self.poll = options.poll
        super().__init__(aws, options.stack)

    def read(self):
        super().read()
        missing = [key for key in ("RestoredTables", "RestoredEvidence") if key not in self.parameters]
        if missing:
            raise Failure(f"{self.name} is no portal that can use restored tables: it has no parameter {missing[0]}")
        self.in_use = {table: self.outputs[f"{table}TableName"] for table in TABLES}
        restored = self.parameters["RestoredTables"].partition("@")[0]
        restores = {table: restored for table in TABLES} | {"Evidence": self.parameters["RestoredEvidence"]}
        self.own = {
            table: name.removesuffix("-" + restores[table]) if restores[table] else name
            for table, name in self.in_use.items()
        }

    def named(self, name):
        """The tables of a restore: table -> its name."""
        if name == ORIGINAL:
            return dict(self.own)
        return {table: f"{own}-{name}" for table, own in self.own.items()}

    def wait(self, what, done):
        """Asks until it is done, saying how it stands."""
        began, said = time.monotonic(), None
        while True:
            state, is_done = done()
            if state != said or is_done:
                say(f"{what}: {state} after {time.monotonic() - began:.0f} s")
                said = state
            if is_done:
                return
            time.sleep(self.poll)


# ------------------------------------------------------------------------------------------------ restoring


def restore(aws, portal, options):
    """Restores all four tables under new names, sets what a restore does not carry, and compares."""
    sources = portal.named(options.source) if options.source else dict(portal.in_use)
    windows = dict(zip(TABLES, at_once(lambda table: window(aws, sources[table]), TABLES)))
    if options.to == LATEST:
        # One instant for all: the newest that each of them has.
        instant = min(last for _, last in windows.values())
    else:
        instant = parsed(options.to)
        reachable(instant, sources, windows)
    name = checked(options.name or instant.astimezone(datetime.timezone.utc).strftime("r%Y%m%dt%H%M%Sz"))
    targets = portal.named(name)
    at_once(lambda table: begin(aws, table, sources[table], targets[table], instant), TABLES)
    if aws.dry_run:
        say("would wait for them, then give each the stream, expiry, recovery, protection and tags of its source")
        return

    def finish(table):
        portal.wait(targets[table], lambda: status(aws, targets[table]))
        equip(aws, portal, sources[table], targets[table])
        return differences(aws, sources[table], targets[table])

    different = sum(at_once(finish, TABLES), [])
    if different:
        raise Failure("not like their sources: " + "; ".join(different))
    say(f"restored as of {iso(instant)}, like their sources: {', '.join(targets.values())}")
    say(f"to use them: repoint --name {name} --since {iso(instant)}; to be rid of them: discard --name {name}")


def window(aws, source):
    """From when to when a table can be restored."""
    if described(aws, source) is None:
        raise Failure(f"{source} is gone: AWS keeps a backup of a deleted table for 35 days, restore that by hand")
    backups = aws.ask("dynamodb", "describe-continuous-backups", table_name=source)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise Failure(f"{source} cannot be restored: its point-in-time recovery is off")
    return tuple(instant_of(recovery[f"{which}RestorableDateTime"]) for which in ("Earliest", "Latest"))


def reachable(instant, sources, windows):
    for table, (first, last) in windows.items():
        # Evidence is restored as of now, whatever the instant.
        if table != "Evidence" and not first <= instant <= last:
            earlier = "; --source names an earlier restore, or original" if instant < first else ""
            span = f"from {iso(first)} to {iso(last)}"
            raise Failure(f"{sources[table]} can be restored {span}, not to {iso(instant)}{earlier}")


def checked(name):
    if not NAME.fullmatch(name) or name == ORIGINAL:
        raise Failure(f"{name!r} names no restore: three to thirty of a-z, 0-9 and -")
    return name


def begin(aws, table, source, target, instant):
    description = described(aws, target)
    if description:
        say(f"{target} is there already ({description['TableStatus']}): goes on with it")
        return
    arguments = {"source_table_name": source, "target_table_name": target}
    if table == "Evidence":
        # Nothing in it is ever changed or deleted, so its newest state holds that of any instant before.
        when, arguments["use_latest_restorable_time"] = "its newest instant", True
    else:
        when = arguments["restore_date_time"] = iso(instant)
    # A restore takes its source's key; said all the same, as what is restored under another could not be read.
    key = described(aws, source).get("SSEDescription", {}).get("KMSMasterKeyArn")
    if key:
        arguments["sse_specification_override"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    aws.change(f"restore {source} as of {when} to {target}", "dynamodb", "restore-table-to-point-in-time", **arguments)


def described(aws, table):
    try:
        return aws.ask("dynamodb", "describe-table", table_name=table)["Table"]
    except Refused as refused:
        if refused.has("ResourceNotFoundException"):
            return None
        raise


def status(aws, table):
    description = described(aws, table)
    if description is None:
        raise Failure(f"{table} is gone")
    state = description["TableStatus"]
    if state not in ("ACTIVE", "CREATING", "UPDATING"):
        raise Failure(f"{table} is {state}")
    indexes = description.get("GlobalSecondaryIndexes", [])
    return state, state == "ACTIVE" and all(index["IndexStatus"] == "ACTIVE" for index in indexes)


def shape(aws, table):
    """What of a table has to be as its source's: first what a restore carries, then what it does not."""
    description = described(aws, table)
    stream = description.get("StreamSpecification", {})
    expiry = aws.ask("dynamodb", "describe-time-to-live", table_name=table)["TimeToLiveDescription"]
    backups = aws.ask("dynamodb", "describe-continuous-backups", table_name=table)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    tags = aws.ask("dynamodb", "list-tags-of-resource", resource_arn=description["TableArn"])["Tags"]

    def indexes(kind):
        return sorted(
            (index["IndexName"], str(index["KeySchema"]), index["Projection"]["ProjectionType"],
             str(sorted(index["Projection"].get("NonKeyAttributes", []))))
            for index in description.get(kind, [])
        )

    return {
        "keys": str(description["KeySchema"]),
        "global indexes": indexes("GlobalSecondaryIndexes"),
        "local indexes": indexes("LocalSecondaryIndexes"),
        "billing": description.get("BillingModeSummary", {}).get("BillingMode"),
        "key of encryption": description.get("SSEDescription", {}).get("KMSMasterKeyArn"),
        "stream": stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
        "expiry": expiry.get("AttributeName") if expiry["TimeToLiveStatus"] in ("ENABLED", "ENABLING") else None,
        "recovery": recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
        "days": recovery.get("RecoveryPeriodInDays"),
        "protection": description.get("DeletionProtectionEnabled", False),
        # Those of CloudFormation cannot be set by anybody else.
        "tags": sorted((tag["Key"], tag["Value"]) for tag in tags if not tag["Key"].startswith("aws:")),
    }


def equip(aws, portal, source, target):
    """Gives a restored table what its source has and a restore does not carry; each only where it is not there yet."""
    wanted, there = shape(aws, source), shape(aws, target)
    if wanted["tags"] and wanted["tags"] != there["tags"]:
        arn = described(aws, target)["TableArn"]
        tags = [{"Key": key, "Value": value} for key, value in wanted["tags"]]
        aws.change(f"tag {target}", "dynamodb", "tag-resource", resource_arn=arn, tags=tags)
    if wanted["expiry"] and not there["expiry"]:
        aws.change(f"let items of {target} expire", "dynamodb", "update-time-to-live", table_name=target,
                   time_to_live_specification={"Enabled": True, "AttributeName": wanted["expiry"]})
    if wanted["recovery"] and (not there["recovery"] or wanted["days"] != there["days"]):
        recovery = {"PointInTimeRecoveryEnabled": True}
        if wanted["days"]:
            recovery["RecoveryPeriodInDays"] = wanted["days"]
        aws.change(f"make {target} restorable", "dynamodb", "update-continuous-backups", table_name=target,
                   point_in_time_recovery_specification=recovery)
    if wanted["protection"] and not there["protection"]:
        aws.change(f"protect {target} from deletion", "dynamodb", "update-table", table_name=target,
                   deletion_protection_enabled=True)
        portal.wait(target, lambda: status(aws, target))
    if wanted["stream"] and not there["stream"]:
        aws.change(f"give {target} a stream", "dynamodb", "update-table", table_name=target,
                   stream_specification={"StreamEnabled": True, "StreamViewType": wanted["stream"]})
        portal.wait(target, lambda: status(aws, target))


def differences(aws, source, target):
    if described(aws, source) is None:
        say(f"{source} is gone: {target} is compared with nothing")
        return []
    wanted, there = shape(aws, source), shape(aws, target)
    found = [f"{target}: {what} is {there[what]}, and {wanted[what]} in {source}"
             for what in wanted if wanted[what] != there[what]]
    # Counts of a table are hours old, so what is told is whether there is anything at all.
    if scanned(aws, source, max_items="1") and not scanned(aws, target, max_items="1"):
        found.append(f"{target} is empty")
    return found


def scanned(aws, table, **arguments):
    return aws.ask("dynamodb", "scan", table_name=table, **arguments)["Items"]


# ----------------------------------------------------------------------------------------------- repointing


def repoint(aws, portal, options):
    """Has the portal use the tables of a restore; it is closed meanwhile."""
    if portal.status.endswith("IN_PROGRESS"):
        raise Failure(f"{portal.name} is {portal.status}: wait for that to end")
    name = options.name if options.name == ORIGINAL else checked(options.name)
    targets, before = portal.named(name), dict(portal.in_use)
    if not options.with_evidence:
        targets["Evidence"] = portal.in_use["Evidence"]
    label = ""
    for table, target in targets.items():
        description = described(aws, target)
        if description is None:
            raise Failure(f"there is no table {target}: restore it first")
        if table == "Identity":
            label = description.get("LatestStreamLabel", "")
            if not label:
                raise Failure(f"{target} has no stream, and the portal reads one: give it one of NEW_IMAGE")
    if name != ORIGINAL:
        moved = [table for table in TABLES if targets[table] != portal.in_use[table]]
        different = sum(at_once(lambda table: differences(aws, portal.own[table], targets[table]), moved), [])
        if different:
            raise Failure("not like those of the stack: " + "; ".join(different))
    values = {"RestoredTables": "" if name == ORIGINAL else f"{name}@{label}"}
    if options.with_evidence:
        values["RestoredEvidence"] = "" if name == ORIGINAL else name
    functions = portal.functions()
    close(aws, functions)
    is_there = before["Identity"] == targets["Identity"]
    if name != ORIGINAL:
        tidy(aws, targets["Identity"])
        if not is_there:
            erase_again(aws, before["Identity"], targets)
    use(aws, portal, values)
    # First the keys that sign, whose public halves are in the table; then who has to be erased again, before anybody can
    # log in; then everybody.
    for logical in ("RotateKeysFunction", "ExpireUsersFunction"):
        unlock(aws, portal, functions[logical])
        portal.invoke(functions[logical], {})
    opened(aws, portal, functions)
    say("would use " + targets["Identity"] if aws.dry_run else "uses " + ", ".join(targets.values()))
    batches(aws, portal, options)
    if name != ORIGINAL:
        recent(aws, targets["Evidence"], options)
        check(aws, portal, options)


def close(aws, functions):
    """Lets no function run: requests get 503; streams and queues keep what they have, and what
    is handed over by itself goes into the queues of what was given up on."""
    at_once(lambda function: aws.change(
        f"stop {function}", "lambda", "put-function-concurrency", function_name=function,
        reserved_concurrent_executions="0",
    ), functions.values())


def unlock(aws, portal, function):
    kept = portal.parameters.get("InstancesOfAFunction", "0")
    if kept == "0":
        aws.change(f"let {function} run", "lambda", "delete-function-concurrency", function_name=function)
    else:
        aws.change(f"let {function} run", "lambda", "put-function-concurrency", function_name=function,
                   reserved_concurrent_executions=kept)


def opened(aws, portal, functions):
    at_once(lambda function: unlock(aws, portal, function), functions.values())


def delete(aws, what, table, keys):
    for start in range(0, len(keys), BATCH):
        requests, pause = {table: [{"DeleteRequest": {"Key": key}} for key in keys[start:start + BATCH]]}, 0.05
        while requests:
            done = aws.change(f"delete {what} {start + 1} to {start + len(keys[start:start + BATCH])} of {len(keys)}",
                              "dynamodb", "batch-write-item", request_items=requests)
            requests = (done or {}).get("UnprocessedItems", {})
            if requests:
                # A throttle: the CLI waits for none that is part of a good answer.
                time.sleep(random.uniform(pause / 2, pause))
                pause = min(2 * pause, 5)


def tidy(aws, identity):
    """Ends the sessions of the restored instant, and drops the mails that its expiry would have dropped since."""
    now = int(time.time())
    names, values = {"#ttl": "ttl"}, {":session": {"S": "SESSION#"}, ":now": {"N": str(now)}}
    sessions = scanned(
        aws, identity, filter_expression="begins_with(sk, :session) AND #ttl > :now", projection_expression="pk, sk",
        expression_attribute_names=names, expression_attribute_values=values,
    )
    delete(aws, "sessions", identity, sessions)
    open_mails = aws.ask(
        "dynamodb", "query", table_name=identity, index_name="unsent", key_condition_expression="unsent = :unsent",
        expression_attribute_values={":unsent": {"S": "UNSENT"}},
    )["Items"]
    old = [item for item in open_mails if int(item["requested_at"]["N"]) < (now - WISHES_KEPT_S) * 1000]
    delete(aws, "mails too old to be sent", identity, [{"pk": item["pk"], "sk": item["sk"]} for item in old])
    say(f"{len(open_mails) - len(old)} mails were on their way at that instant; the sweep sends them within minutes")


def erase_again(aws, before, targets):
    """Has those erased again who were erased since the instant; evidence tells them from those whom a fault deleted."""
    def people(table):
        return {item["pk"]["S"]: item["email"]["S"] for item in scanned(
            aws, table, filter_expression="sk = :profile", projection_expression="pk, email",
            expression_attribute_values={":profile": {"S": "PROFILE"}},
        )}

    if described(aws, before) is None:
        say(f"{before} is gone, so nobody can say who was erased since: look into the evidence")
        return
    there = people(before)
    for pk, email in people(targets["Identity"]).items():
        if pk in there:
            continue
        events = aws.ask(
            "dynamodb", "query", table_name=targets["Evidence"],
            key_condition_expression="pk = :subject AND begins_with(sk, :event)",
            filter_expression="#event = :erased", expression_attribute_names={"#event": "event"},
            expression_attribute_values={":subject": {"S": pk.replace("USER#", "SUBJECT#", 1)}, ":event": {"S": "EVENT#"},
                                         ":erased": {"S": "user-erased"}},
        )["Items"]
        if events:
            # As `expire-users` leaves somebody whose erasure it began: it goes on with them first.
            aws.change(f"have {pk} erased again", "dynamodb", "update-item", table_name=targets["Identity"],
                       key={"pk": {"S": f"EMAIL#{email}"}, "sk": {"S": "LOGIN"}},
                       update_expression="SET expiry = :leaving, expiry_due = :now",
                       condition_expression="attribute_exists(pk)",
                       expression_attribute_values={":leaving": {"S": "leaving"}, ":now": {"N": "0"}})


def use(aws, portal, values):
    """Sets the stack's parameters, and nothing else."""
    if all(portal.parameters[key] == value for key, value in values.items()):
        say("the stack names these tables already")
        return
    # Nothing answers until it is over, and a canary judges by answers: at once, or CodeDeploy would take it back for the
    # 503s. The next `sam deploy` says again how the stage releases.
    values = values | {"DeploymentType": "AllAtOnce"}
    parameters = [
        f"ParameterKey={key},ParameterValue={values[key]}" if key in values else f"ParameterKey={key},UsePreviousValue=true"
        for key in portal.parameters
    ]
    aws.change(f"set {values} of {portal.name}", "cloudformation", "update-stack", stack_name=portal.name,
               use_previous_template=True, parameters=parameters,
               capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    if aws.dry_run:
        return

    def done():
        portal.read()
        return portal.status, not portal.status.endswith("IN_PROGRESS")

    portal.wait(portal.name, done)
    if portal.status != "UPDATE_COMPLETE":
        raise Failure(f"{portal.name} is {portal.status}: nothing runs; see its events, then repoint again, or `open`")


def batches(aws, portal, options):
    """What has to be imported again: batches that arrived or were posted since the instant, or were not to their end."""
    if not options.since:
        say("give --since with the instant to have the batches listed that have to be imported again")
        return
    since = parsed(options.since)
    bucket = portal.outputs["FeedBucketName"]
    objects = aws.ask("s3api", "list-objects-v2", bucket=bucket).get("Contents", [])
    # When the manifest of each came, and its report; one without is half posted, or was never begun.
    manifests, reports = (
        {folder: instant_of(item["LastModified"]) for item in objects
         for folder, _, file in [item["Key"].rpartition("/")] if file == name}
        for name in ("manifest.json", "report.json")
    )
    again = [folder for folder, came in manifests.items() if max(came, reports.get(folder, since)) >= since]
    say(f"{len(again)} batches arrived or were posted since {iso(since)}, or have no report"
        + (", to be imported again:" if again else ""))
    for folder in sorted(again, key=manifests.get):
        manifest = f"s3://{bucket}/{folder}/manifest.json"
        print(f"aws s3 cp {manifest} {manifest} --metadata-directive REPLACE")


def recent(aws, evidence, options):
    """What people did right before the instant: evidence, which is not restored, has it whole, the tables perhaps in part."""
    if not options.since:
        say("give --since with the instant to have what was done right before it listed, which may be there in part")
        return
    since = parsed(options.since).timestamp()
    acts = scanned(
        aws, evidence, filter_expression="begins_with(sk, :event) AND #at BETWEEN :from AND :to",
        expression_attribute_names={"#at": "at"},
        expression_attribute_values={":event": {"S": "EVENT#"}, ":from": {"N": str(int((since - RECENT_S) * 1000))},
                                     ":to": {"N": str(int((since + 1) * 1000))}},
    )
    say(f"{len(acts)} acts are of the minute before, and may be there in part" + (":" if acts else ""))
    for act in sorted(acts, key=lambda act: int(act["at"]["N"]))[:PRINTED]:
        about = act.get("member_number", {}).get("S", "no account")
        print(f"{iso(instant_of(int(act['at']['N']) / 1000))} {act['event']['S']} {act['pk']['S']} {about}")


def check(aws, portal, _options):
    """Holds the ledger in use against its entries, every account, and says what to do where it differs."""
    function, event, differing, busy, listed = portal.functions()["ReconcileFunction"], {}, 0, [], []
    while event is not None:
        report = portal.invoke(function, event)
        if report is None:
            return
        differing += report["drift"]
        busy += report["busy"]
        listed += report["listed"]
        say(f"{report['accounts']} of {report['of']} accounts, {report['entries']} entries: {report['drift']} fields differ")
        event = {"after": report["after"]} if report.get("after") else None
    for drift in listed[:PRINTED]:
        print(" ".join(f"{name}={value}" for name, value in drift.items()))
    if differing:
        raise Failure(
            f"{differing} fields of the ledger differ from its entries: leave imports stopped, and restore to another instant, "
            "a minute earlier or later, at which no batch was under way (docs/operations.md, Restoring to an instant)"
        )
    if busy:
        raise Failure(f"{len(busy)} accounts were posted to all the time: stop imports, then check again: {' '.join(busy)}")
    say("the ledger equals its entries")


# ----------------------------------------------------------------------------------------- the other commands


def reopen(aws, portal, _options):
    """Lets all functions run."""
    opened(aws, portal, portal.functions())


def discard(aws, portal, options):
    """Deletes the tables of a restore that the portal does not use."""
    targets = portal.named(checked(options.name))
    used = [target for target in targets.values() if target in portal.in_use.values()]
    if used:
        raise Failure(f"{used[0]} is in use: repoint first")
    for target in targets.values():
        description = described(aws, target)
        if description is None:
            say(f"{target} is gone already")
            continue
        if description["TableStatus"] == "DELETING":
            say(f"{target} is being deleted already")
            continue
        if description.get("DeletionProtectionEnabled"):
            aws.change(f"lift the protection of {target}", "dynamodb", "update-table", table_name=target,
                       no_deletion_protection_enabled=True)
            if not aws.dry_run:
                portal.wait(target, lambda target=target: status(aws, target))
        aws.change(f"delete {target}", "dynamodb", "delete-table", table_name=target)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    add_common(common)
    common.add_argument("--poll", type=float, default=15, help="seconds between two looks at what takes time")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("restore", parents=[common], help=restore.__doc__)
    command.add_argument("--to", required=True, help="the instant, with its zone: 2026-11-25T10:15:00Z; or latest")
    command.add_argument("--name", help="what ends the tables' names; the instant where it is not given")
    command.add_argument("--source", help="an earlier restore, or original, instead of the tables in use")
    command = commands.add_parser("repoint", parents=[common], help=repoint.__doc__)
    command.add_argument("--name", required=True, help="of the restore, or original")
    command.add_argument("--with-evidence", action="store_true", help="the evidence table too: only where it is lost")
    command.add_argument("--since", help="the instant: lists what has to be imported again, and what may be there in part")
    commands.add_parser("open", parents=[common], help=reopen.__doc__)
    commands.add_parser("check", parents=[common], help=check.__doc__)
    command = commands.add_parser("discard", parents=[common], help=discard.__doc__)
    command.add_argument("--name", required=True, help="of the restore")
    return parser.parse_args()


def main():
    options = arguments()
    commands = {"restore": restore, "repoint": repoint, "open": reopen, "check": check, "discard": discard}

    def command():
        aws = Aws(options)
        commands[options.command](aws, Portal(aws, options), options)

    run(command)


if __name__ == "__main__":
    main()
