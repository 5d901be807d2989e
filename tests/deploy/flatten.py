"""One template out of the root and its nested stacks, with explicit routes: what the emulator can deploy.

The emulator neither expands nested SAM stacks nor serves the routes of an OpenAPI body. Both are turned into what they
stand for, in the test only: every resource, policy, condition and reference is the project's own.
"""

import re

from expand import ROOT, expanded, parsed

PSEUDO = "AWS::"


class Scope:
    """How references of a template are rewritten: its parameters by value, its resources by another name."""

    def __init__(self, prefix, values, resources, conditions, nested):
        self.prefix = prefix
        self.values = values
        self.resources = resources
        self.conditions = conditions
        # Nested stack -> output -> its value.
        self.nested = nested

    def rewrite(self, value):
        if isinstance(value, list):
            return [self.rewrite(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), = value.items()
            if name == "Ref":
                return self.ref(argument)
            if name == "Fn::GetAtt":
                return self.get_att(argument if isinstance(argument, list) else argument.split(".", 1))
            if name == "Fn::Sub":
                return self.sub(argument)
            if name == "Condition" and isinstance(argument, str):
                return {"Condition": self.prefix + argument}
            if name == "Fn::If":
                return {name: [self.prefix + argument[0], *self.rewrite(argument[1:])]}
        return {key: self.rewrite(item) for key, item in value.items()}

    def ref(self, name):
        if name in self.values:
            return self.values[name]
        return {"Ref": self.prefix + name if name in self.resources else name}

    def get_att(self, path):
        name, attribute = path[0], ".".join(path[1:])
        if name in self.nested and attribute.startswith("Outputs."):
            return self.nested[name][attribute.removeprefix("Outputs.")]
        return {"Fn::GetAtt": [self.prefix + name, attribute]}

    def sub(self, argument):
        text, given = (argument, {}) if isinstance(argument, str) else argument
        variables = {name: self.rewrite(value) for name, value in given.items()}

        def replaced(match):
            name = match.group(1)
            if name.startswith("!") or name.startswith(PSEUDO) or name in variables:
                return match.group(0)
            head, _, attribute = name.partition(".")
            if head in self.values or head in self.nested:
                value = self.get_att([head, attribute]) if attribute else self.ref(head)
                if isinstance(value, (str, int)):
                    return str(value)
                variable = re.sub(r"\W", "", name)
                variables[variable] = value
                return "${" + variable + "}"
            return "${" + self.prefix + name + "}"

        text = re.sub(r"\$\{([^}]+)\}", replaced, text)
        return {"Fn::Sub": [text, variables] if variables else text}


def flattened():
    """The project's template as one, without nested stacks."""
    root = expanded(parsed(ROOT / "template.yaml"))
    stacks = {
        name: resource for name, resource in root["Resources"].items() if resource["Type"] == "AWS::CloudFormation::Stack"
    }
    flat = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": root["Parameters"],
        "Conditions": {},
        "Resources": {},
        "Outputs": {},
    }
    own = {name for name in root["Resources"] if name not in stacks}
    nested = {}
    top = Scope("", {}, own, set(root.get("Conditions", {})), nested)
    # A stack's parameters may be another one's outputs, so each waits for those that it refers to.
    waiting = dict(stacks)
    while waiting:
        ready = [name for name, stack in waiting.items() if not refers_to(stack["Properties"], set(waiting) - {name})]
        if not ready:
            raise ValueError(f"stacks that wait for each other: {sorted(waiting)}")
        for name in ready:
            stack = waiting.pop(name)
            path = ROOT / "infra" / stack["Properties"]["TemplateURL"].rsplit("/", 1)[1]
            add(flat, name, parsed(path), top.rewrite(stack["Properties"].get("Parameters", {})), nested)
    for name in own:
        flat["Resources"][name] = resource_of(top, root["Resources"][name])
    flat["Conditions"] |= {name: top.rewrite(condition) for name, condition in root.get("Conditions", {}).items()}
    for name, output in root["Outputs"].items():
        kept = {"Condition": output["Condition"]} if "Condition" in output else {}
        flat["Outputs"][name] = kept | {"Value": top.rewrite(output["Value"])}
    at_once(flat)
    routes(flat)
    return flat


def refers_to(value, names):
    text = str(value)
    return any(f"'{name}', 'Outputs." in text or f"{name}.Outputs." in text for name in names)


def add(flat, name, template, given, nested):
    values = {
        parameter: given.get(parameter, body.get("Default")) for parameter, body in template.get("Parameters", {}).items()
    }
    missing = [parameter for parameter, value in values.items() if value is None]
    if missing:
        raise ValueError(f"{name} is not given {missing}")
    scope = Scope(name, values, set(template["Resources"]), set(template.get("Conditions", {})), {})
    for resource, body in template["Resources"].items():
        flat["Resources"][name + resource] = resource_of(scope, body)
    for condition, body in template.get("Conditions", {}).items():
        flat["Conditions"][name + condition] = scope.rewrite(body)
    nested[name] = {output: scope.rewrite(body["Value"]) for output, body in template.get("Outputs", {}).items()}


def resource_of(scope, body):
    rewritten = {key: scope.rewrite(value) for key, value in body.items() if key not in ("Condition", "DependsOn")}
    if "Condition" in body:
        rewritten["Condition"] = scope.prefix + body["Condition"]
    if "DependsOn" in body:
        names = body["DependsOn"] if isinstance(body["DependsOn"], list) else [body["DependsOn"]]
        rewritten["DependsOn"] = [scope.prefix + name for name in names]
    return rewritten


def at_once(flat):
    """Without CodeDeploy, which the emulator has not: an alias moves to its new version in one step."""
    for name, body in list(flat["Resources"].items()):
        if body["Type"].startswith("AWS::CodeDeploy::") or name == "CodeDeployServiceRole":
            del flat["Resources"][name]
        if body["Type"] == "AWS::Lambda::Alias":
            body.pop("UpdatePolicy", None)


def routes(flat):
    """The routes of the API's OpenAPI body, each as a resource."""
    apis = [(name, body) for name, body in flat["Resources"].items() if body["Type"] == "AWS::ApiGatewayV2::Api"]
    (api, body), = apis
    paths = body["Properties"].pop("Body")["paths"]
    body["Properties"].pop("FailOnWarnings", None)
    body["Properties"] |= {"Name": "portal", "ProtocolType": "HTTP"}
    integrations = {}
    for path, methods in paths.items():
        for method, operation in methods.items():
            function = re.search(r"\$\{(\w+)\}/invocations", str(operation["x-amazon-apigateway-integration"]["uri"])).group(1)
            if function not in integrations:
                integrations[function] = f"{function}Integration"
                flat["Resources"][integrations[function]] = {
                    "Type": "AWS::ApiGatewayV2::Integration",
                    "Properties": {
                        "ApiId": {"Ref": api},
                        "IntegrationType": "AWS_PROXY",
                        "IntegrationUri": {"Ref": function},
                        "PayloadFormatVersion": "2.0",
                    },
                }
            default = path in ("/$default", "$default")
            key = "$default" if default else f"{method.upper()} {path}"
            flat["Resources"][re.sub(r"[^a-zA-Z0-9]", "", f"Route{method}{path}")] = {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "ApiId": {"Ref": api},
                    "RouteKey": key,
                    "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integrations[function]}]]},
                },
            }
