"""Checks the documents of OCI layouts and of what docker-registry stores: validate.py SCHEMAS FOLDER...

Goes down by descriptors, from a layout's index.json or from each manifest of a registry, and says what breaks its
schema. Says at the end how many were checked.
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


class Layout:
    """Begins at index.json, which is checked as well."""

    def __init__(self, folder):
        self.folder = folder

    def begin(self):
        header = json.loads((self.folder / "oci-layout").read_text())
        index = json.loads((self.folder / "index.json").read_text())
        good = check(header, "image-layout-schema.json", f"{self.folder}/oci-layout")
        good &= check(index, "image-index-schema.json", f"{self.folder}/index.json")
        return good, 2, list(index["manifests"])

    def document(self, digest):
        return json.loads((self.folder / "blobs" / digest.replace(":", "/")).read_text())


class Registry:
    """Begins at every manifest of every repository."""

    def __init__(self, folder):
        self.folder = folder / "docker/registry/v2"

    def begin(self):
        links = self.folder.glob("repositories/**/_manifests/revisions/*/*/link")
        return True, 0, [self.descriptor(link.read_text()) for link in links]

    def descriptor(self, digest):
        document = self.document(digest)
        # It may leave its type to whoever names it; Docker's never do.
        kind = "index" if "manifests" in document else "manifest"
        media_type = document.get("mediaType", f"application/vnd.oci.image.{kind}.v1+json")
        return {"mediaType": media_type, "digest": digest, "size": self.path(digest).stat().st_size}

    def document(self, digest):
        return json.loads(self.path(digest).read_text())

    def path(self, digest):
        algorithm, encoded = digest.split(":")
        return self.folder / "blobs" / algorithm / encoded[:2] / encoded / "data"


def walk(place):
    good, checked, waiting = place.begin()
    seen = set()
    while waiting:
        descriptor = waiting.pop()
        good &= check(descriptor, "content-descriptor.json", f"{place.folder}: a descriptor")
        digest, schema = descriptor["digest"], KINDS.get(descriptor["mediaType"])
        if schema is None or digest in seen:
            continue
        seen.add(digest)
        document = place.document(digest)
        good &= check(document, schema, f"{place.folder}/{digest}")
        checked += 1
        waiting += document.get("manifests", []) + document.get("layers", [])
        waiting += [document[key] for key in ("subject", "config") if "digest" in document.get(key, {})]
    # A walk that found nothing would prove nothing.
    if checked < 3:
        print(f"only {checked} documents were found in {place.folder}", file=sys.stderr)
        good = False
    return good, checked


def main():
    total, good = 0, True
    for folder in map(pathlib.Path, sys.argv[2:]):
        place = Layout(folder) if (folder / "oci-layout").exists() else Registry(folder)
        passed, checked = walk(place)
        good &= passed
        total += checked
    print(f"{total} documents pass their schemas")
    sys.exit(0 if good else 1)


main()
