#!/usr/bin/python3
"""Wraps keys with PyKMIP and prints one JSON line per step: {"step", "ok", "detail"}.

usage: pykmip-wrapping.py VERSION HOST PORT CERTIFICATE KEY CA     VERSION as in PyKMIP: KMIP_1_2
"""

import sys

from pykmip_common import connected, expect, play, refused  # before kmip, which warns at once

from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import keywrap
from kmip.core import enums
from kmip.core import objects as core_objects
from kmip.core import primitives
from kmip.core.factories.attributes import AttributeFactory
from kmip.pie import objects

Mask = enums.CryptographicUsageMask
AES = enums.CryptographicAlgorithm.AES
V1_1 = enums.KMIPVersion.KMIP_1_1
KEK = bytes(range(16))
KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
KEY_VALUE = bytes.fromhex("42004501000000184200430800000010") + KEY
KEY_WRAP = {"block_cipher_mode": enums.BlockCipherMode.NIST_KEY_WRAP}


def read_wrapped_values():
    """PyKMIP 0.10 writes and reads a wrapped Key Value as a structure around the bytes, as the published
    TC-WRAP cases have it. Where the server wraps, the bytes are the Key Value, which is read here."""
    read = core_objects.KeyValue.read

    def read_bytes(self, stream, kmip_version=enums.KMIPVersion.KMIP_1_0):
        if not self.is_type_next(enums.Types.BYTE_STRING, stream):
            return read(self, stream, kmip_version=kmip_version)
        value = primitives.ByteString(tag=enums.Tags.KEY_VALUE)
        value.read(stream, kmip_version=kmip_version)
        self.key_material = core_objects.KeyMaterial(value.value)

    core_objects.KeyValue.read = read_bytes


class Story:
    """The steps in their order; each may use what an earlier one has left on self."""

    def __init__(self, client, version):
        self.client = client
        self.version = version
        self.label = "wrapping {}".format(version.name)
        self.kek = None
        self.uid = None

    def steps(self):
        steps = [
            ("registers a wrapping key with its parameters, and activates it", self.wrapping_key),
            ("registers the key to be wrapped", self.key),
            ("gets it wrapped, its Key Value encoded", self.encoded),
            ("gets the wrapping parameters back", self.parameters),
            ("gets an attribute wrapped along", self.attributes),
            ("is refused a wrapping key that is not there", self.absent),
        ]
        if self.version >= V1_1:
            steps += [
                ("gets it wrapped without encoding", self.unencoded),
                ("registers what is wrapped, and gets it as registered", self.registered),
            ]
        return steps + [("destroys what it has made", self.destroy)]

    def wrapping_key(self):
        """PyKMIP's plain client has no word for the parameters of a key: the one below it has."""
        factory = AttributeFactory()
        attributes = [
            factory.create_attribute(
                enums.AttributeType.CRYPTOGRAPHIC_USAGE_MASK, [Mask.WRAP_KEY, Mask.UNWRAP_KEY]
            ),
            factory.create_attribute(enums.AttributeType.CRYPTOGRAPHIC_PARAMETERS, KEY_WRAP),
        ]
        key = objects.SymmetricKey(AES, 128, KEK, [Mask.WRAP_KEY], self.label)
        result = self.client.proxy.register(
            enums.ObjectType.SYMMETRIC_KEY,
            core_objects.TemplateAttribute(attributes=attributes),
            self.client.object_factory.convert(key),
        )
        expect("status", result.result_status.value, enums.ResultStatus.SUCCESS)
        self.kek = result.uuid
        self.client.activate(self.kek)

    def key(self):
        masks = [Mask.ENCRYPT, Mask.DECRYPT]
        key = objects.SymmetricKey(AES, 128, KEY, masks, self.label + " key")
        self.uid = self.client.register(key)

    def wrapped(self, uid=None, kek=None, **more):
        information = {
            "unique_identifier": kek or self.kek,
            "cryptographic_parameters": KEY_WRAP,
        }
        specification = {
            "wrapping_method": enums.WrappingMethod.ENCRYPT,
            "encryption_key_information": information,
        }
        return self.client.get(
            uid or self.uid, key_wrapping_specification={**specification, **more}
        )

    def opened(self, value):
        return keywrap.aes_key_unwrap(KEK, value, default_backend())

    def encoded(self):
        expect("Key Value", self.opened(self.wrapped().value) == KEY_VALUE, True)

    def parameters(self):
        data = self.wrapped().key_wrapping_data
        information = data["encryption_key_information"]
        expect("method", data["wrapping_method"], enums.WrappingMethod.ENCRYPT)
        expect("wrapping key", information["unique_identifier"], self.kek)
        mode = information["cryptographic_parameters"]["block_cipher_mode"]
        expect("mode", mode, enums.BlockCipherMode.NIST_KEY_WRAP)

    def attributes(self):
        names = ["Cryptographic Usage Mask"]
        opened = self.opened(self.wrapped(attribute_names=names).value)
        expect("key", KEY in opened, True)
        expect("more than the key", len(opened) > len(KEY_VALUE), True)

    def absent(self):
        wrapped = lambda: self.wrapped(kek="no key has this identifier")  # noqa: E731
        return refused(wrapped, "ITEM_NOT_FOUND", "WRAPPING_OBJECT_NOT_FOUND")

    def unencoded(self):
        found = self.wrapped(encoding_option=enums.EncodingOption.NO_ENCODING)
        expect("key", self.opened(found.value) == KEY, True)

    def registered(self):
        wrapped = keywrap.aes_key_wrap(KEK, KEY, default_backend())
        data = {
            "wrapping_method": enums.WrappingMethod.ENCRYPT,
            "encryption_key_information": {
                "unique_identifier": self.kek,
                "cryptographic_parameters": KEY_WRAP,
            },
            "encoding_option": enums.EncodingOption.NO_ENCODING,
        }
        masks = [Mask.ENCRYPT, Mask.DECRYPT]
        name = self.label + " copy"
        uid = self.client.register(
            objects.SymmetricKey(AES, 128, wrapped, masks, name, key_wrapping_data=data)
        )
        found = self.client.get(uid)
        expect("bytes", found.value == wrapped, True)
        expect("encoding", found.key_wrapping_data["encoding_option"], data["encoding_option"])
        again = self.wrapped(uid, encoding_option=enums.EncodingOption.NO_ENCODING)
        expect("wrapped anew", again.value == wrapped, True)
        self.client.destroy(uid)

    def destroy(self):
        self.client.destroy(self.uid)
        self.client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, self.kek)
        self.client.destroy(self.kek)


def main(arguments):
    version = enums.KMIPVersion[arguments[0]]
    read_wrapped_values()
    with connected(version, *arguments[1:]) as client:
        play(Story(client, version).steps())


if __name__ == "__main__":
    main(sys.argv[1:])
