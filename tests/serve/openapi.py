#!/usr/bin/env python3
"""Holds docs/openapi.yaml against the server, both ways.

    openapi.py LIMN docs/openapi.yaml

The table of routes in the program and the file name the same operations, statuses, bodies and
parameters of paths. Then a client that is made from the file calls every operation of a running
server, and each answer must be one that the file describes: status, media type, and JSON of the
schema's shape. Needs python3-yaml: without it, skips (77).
"""
import json
import re
import subprocess
import sys

from server import Checks, Server

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not here")
    sys.exit(77)

METHODS = ("get", "post", "put", "delete", "patch")


class Description:
    """The file, with its references followed."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = yaml.safe_load(file)
        self.operations = {}
        for path_, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = dict(item[method], method=method.upper(), path=path_)
                    operation["parameters"] = [
                        self.resolve(p) for p in
                        item.get("parameters", []) + item[method].get("parameters", [])]
                    self.operations[operation["operationId"]] = operation

    def resolve(self, value):
        while isinstance(value, dict) and "$ref" in value:
            found = self.root
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            value = found
        return value

    def problem(self, schema, value, at="$"):
        """What is wrong with a value by a schema (the part of JSON Schema that the file uses)."""
        schema = self.resolve(schema)
        if "const" in schema and value != schema["const"]:
            return f"{at} is not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            return f"{at} is {value!r}, not one of {schema['enum']}"
        if "type" in schema:
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not any(is_kind(value, kind) for kind in kinds):
                return f"{at} is no {' or '.join(kinds)}"
        if isinstance(value, str) and "pattern" in schema:
            if not re.search(schema["pattern"], value):
                return f"{at} does not match {schema['pattern']}"
        for part in schema.get("allOf", []):
            if trouble := self.problem(part, value, at):
                return trouble
        if isinstance(value, dict):
            for name in schema.get("required", []):
                if name not in value:
                    return f"{at} has no {name}"
            for name, part in schema.get("properties", {}).items():
                if name in value:
                    if trouble := self.problem(part, value[name], f"{at}.{name}"):
                        return trouble
        if isinstance(value, list) and "items" in schema:
            for i, item in enumerate(value):
                if trouble := self.problem(schema["items"], item, f"{at}[{i}]"):
                    return trouble
        return None


def is_kind(value, kind):
    if kind == "null":
        return value is None
    if kind in ("integer", "number"):
        number = isinstance(value, int) or (kind == "number" and isinstance(value, float))
        return number and not isinstance(value, bool)
    return isinstance(value, {"string": str, "boolean": bool, "object": dict, "array": list}[kind])


class Client:
    """A method for each operation of the description: call(operationId, **parameters)."""

    def __init__(self, description, server, checks):
        self.description, self.server, self.checks = description, server, checks
        self.seen = {}

    def call(self, name, /, body=None, content_type="application/json", headers=None, **values):
        operation = self.description.operations[name]
        path, query, fields = operation["path"], [], dict(headers or {})
        for parameter in operation["parameters"]:
            key = parameter["name"]
            if key not in values:
                self.checks.expect(not parameter.get("required"), f"{name} needs {key}")
                continue
            text = str(values.pop(key))
            if parameter["in"] == "path":
                path = path.replace("{" + key + "}", text)
            elif parameter["in"] == "query":
                query.append(f"{key}={text}")
            else:
                fields[key] = text
        self.checks.expect(not values, f"{name} has no parameters {sorted(values)}")
        if body is not None:
            content = self.description.resolve(operation["requestBody"])["content"]
            self.checks.expect(content_type in content, f"{name} takes no {content_type}")
            fields["Content-Type"] = content_type if content_type != "multipart/form-data" else (
                "multipart/form-data; boundary=BOUNDARY")
            if content_type == "application/json":
                body = json.dumps(body)
        target = path + ("?" + "&".join(query) if query else "")
        status, answered, text = self.server.ask(operation["method"], target, body, fields)
        self.look(operation, status, answered, text)
        media = answered.get("Content-Type", "")
        return status, json.loads(text) if "json" in media and text else text, answered

    def look(self, operation, status, fields, text):
        name = operation["operationId"]
        self.seen.setdefault(name, set()).add(status)
        responses = operation["responses"]
        if str(status) not in responses and status not in ANY:
            self.checks.expect(False, f"{name} answered {status}, which the file does not name")
            return
        response = self.description.resolve(responses.get(str(status), responses["default"]))
        media = fields.get("Content-Type", "").split(";")[0]
        content = response.get("content", {})
        if not content:
            self.checks.expect(not text, f"{name} answered {status} with a body")
            return
        found = content.get(media) or content.get(media.split("/")[0] + "/*")
        if not self.checks.expect(found is not None, f"{name}: {status} as {media}: {text[:200]}"):
            return
        if "json" in media:
            trouble = self.description.problem(found["schema"], json.loads(text))
            self.checks.expect(trouble is None, f"{name}, {status}: {trouble}")


def compare_with_table(description, limn, checks):
    """The program's table of routes and the file say the same."""
    table = json.loads(subprocess.run([limn, "serve", "routes"], check=True, capture_output=True,
                                      text=True).stdout)
    ANY.update(table["any"])
    routes = {route["operation"]: route for route in table["routes"]}
    checks.expect(set(routes) == set(description.operations),
                  f"operations differ: {set(routes) ^ set(description.operations)}")
    for name in set(routes) & set(description.operations):
        route, operation = routes[name], description.operations[name]
        for key in ("method", "path"):
            checks.expect(route[key] == operation[key], f"{name}: another {key}")
        named = {int(s) for s in operation["responses"] if s != "default"}
        checks.expect(named == set(route["statuses"]),
                      f"{name}: statuses differ by {named ^ set(route['statuses'])}")
        checks.expect("default" in operation["responses"], f"{name}: no default response")
        checks.expect(route["body"] == ("requestBody" in operation), f"{name}: a body or none?")
        checks.expect(route["open"] == (operation.get("security") == []), f"{name}: security")
        wanted = set(re.findall(r"\{(\w+)\}", operation["path"]))
        given = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        checks.expect(wanted == given, f"{name}: parameters of the path")
    text = description.root["info"]["description"]
    for status in ANY:
        checks.expect(str(status) in text, f"the description does not say that any may be {status}")


def call_all(client, checks):
    """Every operation, with answers of each kind that can be had without a painter."""
    def status(expected, name, /, **values):
        answer = client.call(name, **values)
        checks.expect(answer[0] == expected, f"{name}{values}: {answer[0]}, not {expected}: "
                                             f"{answer[1]!r:.300}")
        return answer[1], answer[2]

    nobody = "0" * 32
    status(200, "getHealth")
    status(303, "getPage", token=client.server.token)
    _, fields = status(200, "getPageFile", file="page.js")
    status(304, "getPageFile", file="page.js", headers={"If-None-Match": fields["ETag"]})
    for file in ("index.html", "style.css", "icon.svg"):
        status(200, "getPageFile", file=file)
    status(404, "getPageFile", file="nothing.js")
    status(304, "getPage", headers={"If-None-Match": status(200, "getPage")[1]["ETag"]})
    status(200, "getMetrics")
    _, fields = status(200, "getOpenApi")
    status(304, "getOpenApi", headers={"If-None-Match": fields["ETag"]})
    recipes, _ = status(200, "listRecipes")
    status(200, "getRecipe", name=recipes["recipes"][0]["name"])
    status(404, "getRecipe", name="nothing")
    checked, _ = status(200, "checkRecipe", body={"recipe": "limn", "settings": {
        "balance": {"strength": 0.75}, "style": {"layers": {"relu1_1": 1}}}})
    again, _ = status(200, "checkRecipe", body={"toml": checked["toml"]})
    checks.expect(again["settings"] == {"balance": {"strength": 0.75},
                                        "style": {"layers": {"relu1_1": 1}}},
                  f"another recipe came back: {again['settings']}")
    wrong, _ = status(422, "checkRecipe", body={"toml": checked["toml"].replace(
        "strength = 0.75", "strenght = 0.75")})
    checks.expect("strenght" in wrong["detail"] and "line" in wrong["detail"],
                  f"it does not say where: {wrong['detail']}")

    raw = "application/octet-stream"
    upload, _ = status(201, "uploadFile", body=b"GIF89a, or so", content_type=raw)
    wanted = {"kind": "paint", "recipe": "limn", "photo": upload["id"],
              "painting": [{"upload": upload["id"], "name": "oil.jpg"}], "client": "me",
              "settings": {"picture": {"size": 64}}, "flags": {"bits": 8}, "preview": False}
    nothing = "0" * 64
    status(404, "getUpload", id=nothing)
    status(404, "getUploadPicture", id=nothing, width=100)
    refused, _ = status(422, "getUpload", id=upload["id"])  # no picture
    checks.expect("/" not in refused["detail"], f"it names folders: {refused['detail']}")
    status(422, "getUploadPicture", id=upload["id"], width=100)
    examples, _ = status(200, "listExamples")
    checks.expect({e["role"] for e in examples["examples"]} ==
                  {"photo", "painting", "exemplar", "season"}, "examples of some roles are missing")
    _, fields = status(200, "getExample", file="harbour.jpg")
    status(304, "getExample", file="harbour.jpg", headers={"If-None-Match": fields["ETag"]})
    status(404, "getExample", file="passwd")
    status(404, "uploadExample", file="passwd")
    example, _ = status(201, "uploadExample", file="harbour.jpg")
    about, _ = status(200, "getUpload", id=example["id"])
    listed = next(e for e in examples["examples"] if e["name"] == "harbour")
    checks.expect((about["width"], about["height"]) == (listed["width"], listed["height"]) and
                  about["format"] == "JPEG" and about["made_by"] is None, f"about it: {about}")
    picture, fields = status(200, "getUploadPicture", id=example["id"], width=100)
    checks.expect(picture[:3] == b"\xff\xd8\xff" and "immutable" in fields["Cache-Control"],
                  "no JPEG that may be kept for ever")
    status(206, "getUploadPicture", id=example["id"], width=100, Range="bytes=0-1")
    status(416, "getUploadPicture", id=example["id"], width=100, Range="bytes=9999999-")
    status(304, "getUploadPicture", id=example["id"], width=100,
           headers={"If-None-Match": fields["ETag"]})
    painting, _ = status(201, "uploadExample", file="oil.jpg")
    live = {"photo": example["id"], "painting": [painting["id"]], "size": 64, "seat": "tests",
            "settings": {"optimiser": {"iterations": 4}}}
    parts, _ = status(200, "paintLive", body=live)
    checks.expect(parts.startswith(b"--limn\r\n") and parts.endswith(b"--limn--\r\n"),
                  "the parts do not begin or end as they should")
    status(422, "paintLive", body=dict(live, size=63))
    status(422, "paintLive", body=dict(live, kind="sweep"))
    status(422, "paintLive", body=dict(live, settings={"style": {"wieght": 2}}))
    status(422, "paintLive", body=dict(live, photo=upload["id"]))  # the painter says so
    job, fields = status(201, "submitJob", body=wanted, **{"Idempotency-Key": "one"})
    again, _ = status(201, "submitJob", body=wanted, **{"Idempotency-Key": "one"})
    checks.expect(job["id"] == again["id"], "the same key made two jobs")
    checks.expect(fields["Location"] == job["url"], "Location is not the job's URL")
    form = "".join(f"--BOUNDARY\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n"
                   for name, value in [('name="photo"; filename="a.png"', "bytes"),
                                       ('name="painting"; filename="b.png"', "others"),
                                       ('name="settings"', '{"style": {"weight": 2}}')])
    other, _ = status(201, "submitJob", body=form + "--BOUNDARY--\r\n",
                      content_type="multipart/form-data")
    status(422, "submitJob", body=dict(wanted, settings={"style": {"wieght": 2}}))
    status(400, "submitJob", body="--BOUNDARY", content_type="multipart/form-data")
    me = {"id": job["id"]}
    status(200, "listJobs", state="waiting,running", client="me", after=0, order="queue", limit=10,
           offset=0)
    status(400, "listJobs", state="sleeping")
    status(200, "getJob", **me)
    status(404, "getJob", id=nobody)
    status(200, "getInput", number=0, **me)
    status(206, "getInput", number=0, Range="bytes=0-1", **me)
    status(416, "getInput", number=0, Range="bytes=100-", **me)
    _, fields = status(200, "getInput", number=1, **me)
    status(304, "getInput", number=1, **me, **{"If-None-Match": fields["ETag"]})
    status(404, "getInput", number=2, **me)
    status(422, "getInput", number=0, width=64, **me)
    status(404, "getPreview", **me)
    status(409, "getResult", format="jpeg", quality=90, **me)
    status(400, "getResult", format="exe", **me)
    status(404, "getResult", id=nobody)
    status(200, "moveJob", id=other["id"], body={"before": job["id"]})
    status(422, "moveJob", body={"before": nobody}, **me)
    status(404, "moveJob", body={"before": None}, id=nobody)
    status(409, "retryJob", **me)
    status(404, "retryJob", id=nobody)
    cancelled, _ = status(200, "cancelJob", **me)
    status(409, "cancelJob", **me)
    status(404, "cancelJob", id=nobody)
    status(409, "moveJob", body={"before": None}, **me)
    status(200, "followJob", **me)
    status(204, "followJob", **me, **{"Last-Event-ID": cancelled["revision"]})
    status(404, "followJob", id=nobody)
    status(200, "retryJob", **me)
    status(204, "deleteJob", **me)
    status(404, "deleteJob", **me)


def main():
    limn, path = sys.argv[1:]
    checks, description = Checks(), Description(path)
    compare_with_table(description, limn, checks)
    with Server(limn) as server:
        client = Client(description, server, checks)
        with open(path, "rb") as file:
            served = server.ask("GET", "/api/v1/openapi.yaml")[2]
            checks.expect(served == file.read(), "the server has another file")
        call_all(client, checks)
        # Without end, so only its beginning is read.
        status, _, _ = server.ask("HEAD", "/api/v1/events")
        client.seen.setdefault("followJobs", set()).add(status)
        checks.expect(status == 200, f"followJobs: {status}")
    missed = set(description.operations) - set(client.seen)
    checks.expect(not missed, f"never called: {missed}")
    print(f"{len(client.seen)} operations, {sum(map(len, client.seen.values()))} kinds of answers, "
          f"{checks.failures} failures")
    return 1 if checks.failures else 0


ANY = set()
if __name__ == "__main__":
    sys.exit(main())
