"""Replies of a catalog server, held against Iceberg's OpenAPI document of its REST catalog.

`faults` says what is wrong with one reply: a route, a status or a content type that the document does not have, a body that is not of the
reply's schema, an error without message, type and code.
"""
import json, re, urllib.parse
import jsonschema, yaml

# Routes of Iceberg 1.11 that the document does not have yet, by one that has the same replies.
LATER = {"/v1/{prefix}/namespaces/{namespace}/register-view": ("post", "/v1/{prefix}/namespaces/{namespace}/views")}
# It lists types of values by oneOf that are not apart: 12 is an int, a long, a float and more.
OVERLAPPING = ("PrimitiveTypeValue",)

INTEGERS = {"int32": 31, "int64": 63}


def formats():
    checker = jsonschema.FormatChecker(formats=("uuid", "date"))
    for name, bits in INTEGERS.items():
        checker.checks(name)(lambda value, limit=2 ** bits: not isinstance(value, int) or -limit <= value < limit)
    return checker


def with_null(node):
    """`nullable: true` of OpenAPI 3.0, which the document still uses, in the words of JSON Schema."""
    if isinstance(node, list):
        return [with_null(child) for child in node]
    if not isinstance(node, dict):
        return node
    node = {key: with_null(child) for key, child in node.items()}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
    return node


class Document:
    def __init__(self, place):
        with open(place) as text:
            self.whole = with_null(yaml.safe_load(text))
        for name in OVERLAPPING:
            schema = self.whole["components"]["schemas"][name]
            schema["anyOf"] = schema.pop("oneOf")
        for path, (method, like) in LATER.items():
            self.whole["paths"].setdefault(path, {method: self.whole["paths"][like][method]})
        self.formats = formats()
        self.validators = {}
        self.routes = [(self.pattern(path), path, operations) for path, operations in self.whole["paths"].items()]

    @staticmethod
    def pattern(path):
        """The document's path as an expression; a server that names no prefix leaves `{prefix}/` out."""
        parts = re.split(r"(\{prefix\}/|\{[^}]*\})", path)
        named = {"{prefix}/": "(?:[^/]+/)??"}
        return re.compile("".join(named.get(part, "[^/]+") if part.startswith("{") else re.escape(part) for part in parts))

    def resolve(self, node):
        while "$ref" in node:
            found = self.whole
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def validator(self, reference):
        if reference not in self.validators:
            schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": reference, "components": self.whole["components"]}
            self.validators[reference] = jsonschema.Draft202012Validator(schema, format_checker=self.formats)
        return self.validators[reference]

    def operation(self, method, path):
        """The document's path and what it says of the method; None where it has no such route or method."""
        path = urllib.parse.urlsplit(path).path
        for pattern, named, operations in self.routes:
            if pattern.fullmatch(path):
                operation = operations.get(method.lower())
                return named, operation and self.resolve(operation)
        return None, None

    def schema(self, operation, status):
        """The reference of the schema of a reply, "" for a reply without body, None for a status that the operation does not have."""
        responses = operation["responses"]
        response = responses.get(status, responses.get(str(status), responses.get(f"{status // 100}XX", responses.get("default"))))
        if response is None:
            return None
        content = self.resolve(response).get("content")
        if not content:
            return ""
        reference = content["application/json"]["schema"]["$ref"]
        # The document calls IcebergErrorResponse the wrapper of all errors, and shows 406 in it, but names what is inside as 406's schema.
        return "#/components/schemas/IcebergErrorResponse" if reference.endswith("/ErrorModel") else reference

    def keys(self, method, path, status):
        """The keys that the document names at the top of a reply."""
        _, operation = self.operation(method, path)
        reference = self.schema(operation, status) if operation else None
        return self.properties({"$ref": reference}) if reference else set()

    def properties(self, node):
        node = self.resolve(node)
        inherited = [self.properties(part) for part in node.get("allOf", [])]
        return set(node.get("properties", {})).union(*inherited)

    def faults(self, method, path, status, content_type, body):
        """What is wrong with a reply, each fault in words; none if it is as the document says."""
        named, operation = self.operation(method, path)
        if operation is None:
            reference = "#/components/schemas/IcebergErrorResponse" if status >= 400 else None
        else:
            reference = self.schema(operation, status)
        if reference is None and status < 400:
            return [f"status {status} is not in the document" if operation else "the route is not in the document"]
        found = [] if reference is not None else [f"status {status} is not in the document"]
        if reference == "" or method == "HEAD":
            return found + (["a body where none belongs"] if body else [])
        return found + self.body_faults(reference or "#/components/schemas/IcebergErrorResponse", status, content_type, body)

    def body_faults(self, reference, status, content_type, body):
        if (content_type or "").split(";")[0].strip() != "application/json":
            return [f"content type {content_type}, not application/json"]
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f"no JSON: {error}"]
        faults = [f"{error.json_path}: {error.message[:200]}" for error in self.validator(reference).iter_errors(value)]
        if not faults and reference.endswith("/IcebergErrorResponse") and value["error"]["code"] != status:
            faults = [f"$.error.code: {value['error']['code']} in a reply of status {status}"]
        return faults
