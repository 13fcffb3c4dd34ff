#!/usr/bin/python3
"""Drives every operation and object type that PyKMIP's client knows and pykmip-client.py does not use,
and prints one JSON line per step: {"step", "ok", "detail"}, or {"step", "waits"} for an operation that
the server does not list.

usage: pykmip-operations.py VERSION HOST PORT CERTIFICATE KEY CA
"""

import hashlib
import hmac
import json
import sys

from pykmip_common import connected, expect, play  # before kmip, which warns at once

from cryptography import x509
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from kmip.core import enums
from kmip.core import objects as core_objects
from kmip.core.attributes import Name
from kmip.core.factories.attributes import AttributeFactory
from kmip.pie import objects

Mask = enums.CryptographicUsageMask
AES = enums.CryptographicAlgorithm.AES
RSA = enums.CryptographicAlgorithm.RSA
V1_2 = enums.KMIPVersion.KMIP_1_2
V2_0 = enums.KMIPVersion.KMIP_2_0
TEXT = b"the quick brown fox jumps over the lazy dog"
CBC = {
    "cryptographic_algorithm": AES,
    "block_cipher_mode": enums.BlockCipherMode.CBC,
    "padding_method": enums.PaddingMethod.PKCS5,
}
RSA_SHA256 = {
    "cryptographic_algorithm": RSA,
    "hashing_algorithm": enums.HashingAlgorithm.SHA_256,
    "padding_method": enums.PaddingMethod.PKCS1v15,
}


class Tour:
    """The steps in their order; each makes and destroys the objects it needs."""

    def __init__(self, client, version, certificate):
        self.client = client
        self.version = version
        self.label = "tour {}".format(version.name)
        with open(certificate, "rb") as file:
            self.certificate = x509.load_pem_x509_certificate(file.read(), default_backend())
        self.rsa = rsa.generate_private_key(65537, 2048, default_backend())
        self.named = 0

    def steps(self):
        """Each with the operation that it is about."""
        steps = [
            ("makes an RSA key pair", self.key_pair, "CREATE_KEY_PAIR"),
            ("derives a key with PBKDF2", self.pbkdf2, "DERIVE_KEY"),
            ("derives a key with HMAC", self.hmac_derivation, "DERIVE_KEY"),
            ("checks what a key may be used for", self.check, "CHECK"),
            ("modifies and deletes an attribute", self.change_attributes, "MODIFY_ATTRIBUTE"),
            ("registers and gets a certificate", self.x509_certificate, "REGISTER"),
            ("registers and gets an RSA public key", self.public_key, "REGISTER"),
            ("registers and gets an RSA private key", self.private_key, "REGISTER"),
            ("registers and gets a split key", self.split_key, "REGISTER"),
        ]
        if self.version >= V1_2:
            steps += [
                ("encrypts and decrypts", self.encrypt, "ENCRYPT"),
                ("signs with RSA, and the signature holds", self.sign, "SIGN"),
                ("verifies a signature, good and bad", self.signature_verify, "SIGNATURE_VERIFY"),
                ("makes a MAC", self.mac, "MAC"),
            ]
        if self.version >= V2_0:
            steps.append(("sets an attribute", self.set_attribute, "SET_ATTRIBUTE"))
        else:
            # PyKMIP 0.10 writes a Template-Attribute into Re-key also in 2.0, which has none.
            steps.append(("re-keys a symmetric key", self.rekey, "REKEY"))
        return steps

    def next_name(self):
        """PyKMIP gives every object a Name, and a Name belongs to one object."""
        self.named += 1
        return "{} {}".format(self.label, self.named)

    def register(self, managed_object, activate=False):
        uid = self.client.register(managed_object)
        if activate:
            self.client.activate(uid)
        return uid

    def drop(self, *uids):
        for uid in uids:
            _, attributes = self.client.get_attributes(uid, ["State"])
            active = any(a.attribute_value.value == enums.State.ACTIVE for a in attributes)
            if active:
                self.client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid)
            self.client.destroy(uid)

    def aes(self, *masks, value=bytes(range(32)), activate=True):
        key = objects.SymmetricKey(AES, len(value) * 8, value, list(masks), self.next_name())
        return self.register(key, activate)

    def key_pair(self):
        public, private = self.client.create_key_pair(
            RSA,
            2048,
            public_usage_mask=[Mask.VERIFY],
            private_usage_mask=[Mask.SIGN],
        )
        expect("public", type(self.client.get(public)), objects.PublicKey)
        expect("private", type(self.client.get(private)), objects.PrivateKey)
        self.drop(public, private)

    def derived(self, method, parameters, base):
        uid = self.client.derive_key(
            enums.ObjectType.SYMMETRIC_KEY,
            [base],
            method,
            parameters,
            cryptographic_length=256,
            cryptographic_algorithm=AES,
            cryptographic_usage_mask=[Mask.ENCRYPT],
        )
        value = self.client.get(uid).value
        self.drop(uid, base)
        return value

    def pbkdf2(self):
        secret = objects.SecretData(
            b"password", enums.SecretDataType.PASSWORD, [Mask.DERIVE_KEY], self.next_name()
        )
        parameters = {
            "cryptographic_parameters": {"hashing_algorithm": enums.HashingAlgorithm.SHA_256},
            "salt": b"saltsaltsaltsalt",
            "iteration_count": 1000,
        }
        found = self.derived(
            enums.DerivationMethod.PBKDF2, parameters, self.register(secret, True)
        )
        wanted = hashlib.pbkdf2_hmac("sha256", b"password", b"saltsaltsaltsalt", 1000)
        expect("the key", found == wanted, True)

    def hmac_derivation(self):
        base = bytes(range(32))
        parameters = {
            "cryptographic_parameters": {"hashing_algorithm": enums.HashingAlgorithm.SHA_256},
            "derivation_data": b"a label",
            "salt": b"some salt",
        }
        uid = self.aes(Mask.DERIVE_KEY, value=base)
        found = self.derived(enums.DerivationMethod.HMAC, parameters, uid)
        expect("length", len(found), 32)

    def rekey(self):
        old = self.aes(Mask.ENCRYPT)
        new = self.client.rekey(uid=old)
        expect("another object", new != old, True)
        expect("another key", self.client.get(new).value != self.client.get(old).value, True)
        self.drop(old, new)

    def check(self):
        uid = self.aes(Mask.ENCRYPT)
        found = self.client.check(uid, cryptographic_usage_mask=[Mask.ENCRYPT])
        expect("identifier", found, uid)
        self.drop(uid)

    def name(self, value):
        return Name.create(value, enums.NameType.UNINTERPRETED_TEXT_STRING)

    def names_of(self, uid):
        _, attributes = self.client.get_attributes(uid, ["Name"])
        return [a.attribute_value.name_value.value for a in attributes]

    def change_attributes(self):
        uid = self.aes(Mask.ENCRYPT)
        before, after = self.names_of(uid)[0], self.label + " renamed"
        if self.version >= V2_0:
            current = core_objects.CurrentAttribute(attribute=self.name(before))
            new = core_objects.NewAttribute(attribute=self.name(after))
            self.client.modify_attribute(uid, current_attribute=current, new_attribute=new)
        else:
            attribute = AttributeFactory().create_attribute(enums.AttributeType.NAME, after, 0)
            self.client.modify_attribute(uid, attribute=attribute)
        expect("names", self.names_of(uid), [after])
        if self.version >= V2_0:
            current = core_objects.CurrentAttribute(attribute=self.name(after))
            self.client.delete_attribute(uid, current_attribute=current)
        else:
            self.client.delete_attribute(uid, attribute_name="Name", attribute_index=0)
        expect("names", self.names_of(uid), [])
        self.drop(uid)

    def set_attribute(self):
        uid = self.aes(Mask.ENCRYPT)
        self.client.set_attribute(
            unique_identifier=uid, attribute_name="Sensitive", attribute_value=True
        )
        _, attributes = self.client.get_attributes(uid, ["Sensitive"])
        expect("sensitive", [a.attribute_value.value for a in attributes], [True])
        self.drop(uid)

    def round_trip(self, managed_object):
        uid = self.register(managed_object)
        found = self.client.get(uid)
        expect("class", type(found), type(managed_object))
        expect("value", found.value == managed_object.value, True)
        self.client.destroy(uid)

    def x509_certificate(self):
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.round_trip(objects.X509Certificate(der, [Mask.VERIFY], self.next_name()))

    def public_der(self):
        encoding = serialization.Encoding.DER
        return self.rsa.public_key().public_bytes(encoding, serialization.PublicFormat.PKCS1)

    def private_der(self):
        return self.rsa.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def public_object(self, *masks):
        return objects.PublicKey(
            RSA,
            2048,
            self.public_der(),
            enums.KeyFormatType.PKCS_1,
            list(masks),
            self.next_name(),
        )

    def private_object(self, *masks):
        return objects.PrivateKey(
            RSA,
            2048,
            self.private_der(),
            enums.KeyFormatType.PKCS_8,
            list(masks),
            self.next_name(),
        )

    def public_key(self):
        self.round_trip(self.public_object(Mask.VERIFY))

    def private_key(self):
        self.round_trip(self.private_object(Mask.SIGN))

    def split_key(self):
        self.round_trip(
            objects.SplitKey(
                cryptographic_algorithm=AES,
                cryptographic_length=256,
                key_value=bytes(range(32)),
                cryptographic_usage_masks=[Mask.ENCRYPT],
                name=self.next_name(),
                key_format_type=enums.KeyFormatType.RAW,
                split_key_parts=3,
                key_part_identifier=1,
                split_key_threshold=3,
                split_key_method=enums.SplitKeyMethod.XOR,
            )
        )

    def encrypt(self):
        uid = self.aes(Mask.ENCRYPT, Mask.DECRYPT)
        iv = bytes(16)
        sealed, _ = self.client.encrypt(TEXT, uid, CBC, iv)
        expect("length", len(sealed), 48)
        expect("text", self.client.decrypt(sealed, uid, CBC, iv), TEXT)
        self.drop(uid)

    def sign(self):
        uid = self.register(self.private_object(Mask.SIGN), True)
        signature = self.client.sign(TEXT, uid, RSA_SHA256)
        # Raises when the signature does not hold.
        self.rsa.public_key().verify(signature, TEXT, padding.PKCS1v15(), hashes.SHA256())
        self.drop(uid)

    def signature_verify(self):
        uid = self.register(self.public_object(Mask.VERIFY), True)
        signature = self.rsa.sign(TEXT, padding.PKCS1v15(), hashes.SHA256())
        verify = lambda text: self.client.signature_verify(text, signature, uid, RSA_SHA256)  # noqa: E731
        expect("good", verify(TEXT), enums.ValidityIndicator.VALID)
        expect("bad", verify(TEXT + b"!"), enums.ValidityIndicator.INVALID)
        self.drop(uid)

    def mac(self):
        key = bytes(range(32))
        algorithm = enums.CryptographicAlgorithm.HMAC_SHA256
        managed = objects.SymmetricKey(
            algorithm, 256, key, [Mask.MAC_GENERATE], self.next_name()
        )
        uid = self.register(managed, True)
        _, found = self.client.mac(TEXT, uid, algorithm)
        expect("MAC", found == hmac.new(key, TEXT, "sha256").digest(), True)
        self.drop(uid)


def main(arguments):
    version = enums.KMIPVersion[arguments[0]]
    with connected(version, *arguments[1:]) as client:
        functions = [enums.QueryFunction.QUERY_OPERATIONS]
        able = {one.name for one in client.proxy.query(query_functions=functions).operations}
        steps = Tour(client, version, arguments[3]).steps()
        play([(name, run) for name, run, operation in steps if operation in able])
        for name, _, operation in steps:
            if operation not in able:
                print(json.dumps({"step": name, "waits": operation}))


if __name__ == "__main__":
    main(sys.argv[1:])
