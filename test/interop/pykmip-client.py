#!/usr/bin/python3
"""Drives a KMIP server with PyKMIP and prints one JSON line per step: {"step", "ok", "detail"}.

usage: pykmip-client.py VERSION HOST PORT CERTIFICATE KEY CA     VERSION as in PyKMIP: KMIP_1_2
       pykmip-client.py --versions                               prints the versions PyKMIP knows
"""

import sys

from pykmip_common import connected, expect, play, refused  # before kmip, which warns at once

from kmip.core import enums
from kmip.core.factories.attributes import AttributeFactory
from kmip.pie import objects

MASKS = [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]
AES = enums.CryptographicAlgorithm.AES
ATTRIBUTES = ["Object Type", "Cryptographic Algorithm", "Cryptographic Length", "Name", "State"]


class Story:
    """The steps in their order; each may use what an earlier one has left on self."""

    def __init__(self, client, version):
        self.client = client
        self.version = version
        self.label = "PyKMIP {}".format(version.name)
        self.uid = None
        self.material = None

    def steps(self):
        steps = [
            ("creates an AES-256 key", self.create),
            ("locates it by its name", self.locate),
            ("gets its 32 bytes", self.get),
            ("gets the same bytes again", self.get_again),
            ("gets its attributes", self.get_attributes),
            ("gets the list of its attributes", self.get_attribute_list),
            ("activates it", self.activate),
            ("is refused to destroy it while active", self.destroy_active),
            ("revokes it", self.revoke),
            ("gets it while deactivated", self.get_again),
            ("destroys it", self.destroy),
            ("is refused the destroyed key", self.get_destroyed),
            ("registers, gets and destroys a symmetric key", self.symmetric_key),
            ("registers, gets and destroys secret data", self.secret_data),
            ("registers, gets and destroys an opaque object", self.opaque_object),
            ("is refused an object that is not there", self.get_absent),
            ("asks what the server can do", self.query),
        ]
        if self.version >= enums.KMIPVersion.KMIP_1_1:
            steps.append(("discovers the versions", self.discover_versions))
        return steps

    def create(self):
        self.uid = self.client.create(AES, 256, name=self.label, cryptographic_usage_mask=MASKS)
        return self.uid

    def locate(self):
        name = AttributeFactory().create_attribute(enums.AttributeType.NAME, self.label)
        expect("identifiers", self.client.locate(attributes=[name]), [self.uid])

    def get(self):
        key = self.client.get(self.uid)
        expect("class", type(key), objects.SymmetricKey)
        expect("algorithm", key.cryptographic_algorithm, AES)
        expect("bits", key.cryptographic_length, 256)
        expect("bytes", len(key.value), 32)
        self.material = key.value

    def get_again(self):
        expect("same bytes", self.client.get(self.uid).value == self.material, True)

    def get_attributes(self):
        uid, attributes = self.client.get_attributes(self.uid, ATTRIBUTES)
        expect("identifier", uid, self.uid)
        found = {a.attribute_name.value: a.attribute_value for a in attributes}
        expect("names", sorted(found), sorted(ATTRIBUTES))
        expect("state", found["State"].value, enums.State.PRE_ACTIVE)
        expect("algorithm", found["Cryptographic Algorithm"].value, AES)
        expect("bits", found["Cryptographic Length"].value, 256)
        expect("name", found["Name"].name_value.value, self.label)

    def get_attribute_list(self):
        names = self.client.get_attribute_list(self.uid)
        missing = set(ATTRIBUTES + ["Unique Identifier", "Initial Date"]) - set(names)
        expect("missing", sorted(missing), [])

    def state(self):
        _, attributes = self.client.get_attributes(self.uid, ["State"])
        return attributes[0].attribute_value.value

    def activate(self):
        self.client.activate(self.uid)
        expect("state", self.state(), enums.State.ACTIVE)

    def destroy_active(self):
        destroy = lambda: self.client.destroy(self.uid)  # noqa: E731
        return refused(destroy, "PERMISSION_DENIED", "WRONG_KEY_LIFECYCLE_STATE")

    def revoke(self):
        self.client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, self.uid)
        expect("state", self.state(), enums.State.DEACTIVATED)

    def destroy(self):
        self.client.destroy(self.uid)

    def get_destroyed(self):
        return refused(lambda: self.client.get(self.uid), "ITEM_NOT_FOUND", "OBJECT_DESTROYED")

    def get_absent(self):
        absent = "no object has this identifier"
        return refused(lambda: self.client.get(absent), "ITEM_NOT_FOUND", "OBJECT_NOT_FOUND")

    def round_trip(self, managed_object):
        uid = self.client.register(managed_object)
        found = self.client.get(uid)
        expect("class", type(found), type(managed_object))
        expect("value", found.value == managed_object.value, True)
        self.client.destroy(uid)
        return uid

    def symmetric_key(self):
        value = bytes(range(32))
        return self.round_trip(objects.SymmetricKey(AES, 256, value, MASKS, self.label + " key"))

    def secret_data(self):
        kind = enums.SecretDataType.PASSWORD
        masks = [enums.CryptographicUsageMask.VERIFY]
        return self.round_trip(
            objects.SecretData(b"a password", kind, masks, self.label + " secret")
        )

    def opaque_object(self):
        kind = enums.OpaqueDataType.NONE
        return self.round_trip(objects.OpaqueObject(b"\x00\xff", kind, self.label + " opaque"))

    def query(self):
        functions = [
            enums.QueryFunction.QUERY_OPERATIONS,
            enums.QueryFunction.QUERY_OBJECTS,
            enums.QueryFunction.QUERY_SERVER_INFORMATION,
            enums.QueryFunction.QUERY_APPLICATION_NAMESPACES,
        ]
        result = self.client.proxy.query(query_functions=functions)
        expect("status", result.result_status.value, enums.ResultStatus.SUCCESS)
        operations = {operation.name for operation in result.operations}
        wanted = {"CREATE", "REGISTER", "LOCATE", "GET", "ACTIVATE", "REVOKE", "DESTROY"}
        expect("missing", sorted(wanted - operations), [])
        kinds = {kind.name for kind in result.object_types}
        expect("missing", sorted({"SYMMETRIC_KEY", "SECRET_DATA", "OPAQUE_DATA"} - kinds), [])
        expect("a namespace for tapes", "LIBRARY-LTO" in result.application_namespaces, True)

    def discover_versions(self):
        result = self.client.proxy.discover_versions()
        expect("status", result.result_status.value, enums.ResultStatus.SUCCESS)
        found = ["{}.{}".format(v.major, v.minor) for v in result.protocol_versions]
        expect("versions", found, ["2.1", "2.0", "1.4", "1.3", "1.2", "1.1", "1.0"])


def main(arguments):
    if arguments == ["--versions"]:
        print("\n".join(version.name for version in enums.KMIPVersion))
        return
    version = enums.KMIPVersion[arguments[0]]
    with connected(version, *arguments[1:]) as client:
        play(Story(client, version).steps())


if __name__ == "__main__":
    main(sys.argv[1:])
