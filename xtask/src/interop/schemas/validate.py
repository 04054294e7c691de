"""Checks the documents of OCI layouts: validate.py SCHEMAS LAYOUT...

Goes down from index.json by descriptors, and says what breaks its schema. Says at the end how many were checked.
"""

import json
import pathlib
import sys

import jsonschema

SCHEMAS = pathlib.Path(sys.argv[1])
KINDS = {
    "application/vnd.oci.image.index.v1+json": "image-index-schema.json",
    "application/vnd.oci.image.manifest.v1+json": "image-manifest-schema.json",
    "application/vnd.oci.image.config.v1+json": "config-schema.json",
}


class Local(jsonschema.RefResolver):
    """The schemas name each other by addresses that nobody serves; the files are here."""

    def resolve_remote(self, uri):
        return json.loads((SCHEMAS / uri.rsplit("/", 1)[-1]).read_text())


def check(document, schema, what):
    schema = json.loads((SCHEMAS / schema).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema, resolver=Local.from_schema(schema))
    errors = list(validator.iter_errors(document))
    for error in errors:
        where = "/".join(map(str, error.absolute_path))
        print(f"{what}: {where}: {error.message}", file=sys.stderr)
    return not errors


def main():
    checked, good, seen = 0, True, set()
    for layout in map(pathlib.Path, sys.argv[2:]):
        header = json.loads((layout / "oci-layout").read_text())
        index = json.loads((layout / "index.json").read_text())
        good &= check(header, "image-layout-schema.json", f"{layout}/oci-layout")
        good &= check(index, "image-index-schema.json", f"{layout}/index.json")
        checked += 2
        waiting = list(index["manifests"])
        while waiting:
            descriptor = waiting.pop()
            good &= check(descriptor, "content-descriptor.json", f"{layout}: a descriptor")
            key = (layout, descriptor["digest"])
            schema = KINDS.get(descriptor["mediaType"])
            if schema is None or key in seen:
                continue
            seen.add(key)
            document = json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_text())
            good &= check(document, schema, f"{layout}/{descriptor['digest']}")
            checked += 1
            waiting += document.get("manifests", []) + document.get("layers", [])
            waiting += [document[key] for key in ("subject", "config") if "digest" in document.get(key, {})]
    # A walk that found nothing would prove nothing.
    if checked < 10:
        print(f"only {checked} documents were found", file=sys.stderr)
        good = False
    print(f"{checked} documents pass their schemas")
    sys.exit(0 if good else 1)


main()
