"""What the PyKMIP scripts share: connecting to a server, playing steps, and one JSON line for each."""

import json
import logging
import warnings

warnings.simplefilter("ignore")  # PyKMIP calls ssl.wrap_socket, which Python has deprecated

from kmip.core import enums, primitives  # noqa: E402
from kmip.core.messages import contents  # noqa: E402
from kmip.pie import client as pie_client  # noqa: E402
from kmip.pie import exceptions  # noqa: E402

logging.disable(logging.CRITICAL)


class Wrong(Exception):
    """What the server answered is not what a step expects."""


def expect(what, found, wanted):
    if found != wanted:
        raise Wrong("{}: expected {}, found {}".format(what, wanted, found))


def refused(call, *reasons):
    """The call has to fail with one of the reasons, and with a message PyKMIP can read."""
    try:
        call()
    except exceptions.KmipOperationFailure as failure:
        if failure.reason.name in reasons:
            return failure.reason.name
        raise Wrong("refused with {}, not {}".format(failure.reason.name, " or ".join(reasons)))
    raise Wrong("was not refused")


def step_over_server_correlation_value():
    """PyKMIP 0.10 stops at the Server Correlation Value that a response header of KMIP 1.4 and
    later may carry before the Batch Count; it knows the tag, so it is read and dropped here."""
    read = contents.BatchCount.read

    def read_after(self, stream, kmip_version=enums.KMIPVersion.KMIP_1_0):
        if self.is_tag_next(enums.Tags.SERVER_CORRELATION_VALUE, stream):
            value = primitives.TextString(tag=enums.Tags.SERVER_CORRELATION_VALUE)
            value.read(stream, kmip_version=kmip_version)
        read(self, stream, kmip_version=kmip_version)

    contents.BatchCount.read = read_after


def connected(version, host, port, certificate, key, ca):
    """A client of that version; to be used in a with statement."""
    if version >= enums.KMIPVersion.KMIP_1_4:
        step_over_server_correlation_value()
    return pie_client.ProxyKmipClient(
        hostname=host,
        port=int(port),
        cert=certificate,
        key=key,
        ca=ca,
        ssl_version="PROTOCOL_TLSv1_2",
        kmip_version=version,
    )


def play(steps):
    """Runs the steps, pairs of a name and a function, and prints what became of each."""
    for name, run in steps:
        try:
            outcome = {"ok": True, "detail": run()}
        except Exception as error:  # every failure of a step belongs in the report
            outcome = {"ok": False, "detail": "{}: {}".format(type(error).__name__, error)}
        print(json.dumps({"step": name, **outcome}), flush=True)
